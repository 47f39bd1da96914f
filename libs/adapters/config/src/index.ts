export {
	type Config,
	type ConfigResult,
	type Durability,
	environmentWith,
	type LogLevel,
	readConfig,
	type StreamKind,
} from "./config.js";
export { type Variable, variables } from "./variables.js";
export type { WebhookSetting } from "./webhook.js";
