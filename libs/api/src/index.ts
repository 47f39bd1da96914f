export { ApiModule, OperationsModule } from "./api.module.js";
export { DECIDE_SUBJECT } from "./decide.consumer.js";
export { answerDecideRequest } from "./decide-request-reply.js";
export {
	createHttpAdapter,
	type HttpAdapterOptions,
} from "./http-adapter.js";
export { parseJsonBody } from "./json-body.js";
export type { HttpAnswer } from "./open-server.js";
export type {
	ApiParts,
	Health,
	OperationsParts,
	PartHealth,
} from "./parts.js";
export {
	PlainJsonDeserializer,
	PlainJsonSerializer,
} from "./plain-json-transport.js";
export {
	GET_PROFILE_SUBJECT,
	PUT_PROFILE_SUBJECT,
} from "./profiles-request-reply.js";
export { serveDocs } from "./serve-docs.js";
export { operationsTokens, tokens } from "./tokens.js";
