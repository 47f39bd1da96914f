export { type JetStream, openJetStream } from "./jetstream.js";
export { type NatsEndpoints, natsEndpoints } from "./nats-connection.js";
export type {
	JetStreamOptions,
	OnProblem,
	PostgresStreamOptions,
} from "./options.js";
export { openPostgresStream } from "./postgres-stream.js";
