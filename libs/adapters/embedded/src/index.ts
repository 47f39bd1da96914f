export type { Child, Log } from "./child.js";
export {
	claimDataFolder,
	type DataFolderClaim,
	DataFolderInUse,
} from "./data-folder.js";
export {
	type EmbeddedPostgresOptions,
	type PostgresChild,
	startEmbeddedPostgres,
} from "./embedded-postgres.js";
export { freePort } from "./free-port.js";
export {
	findNatsServer,
	launchNatsServer,
	type NatsChild,
	type NatsServerOptions,
	natsServerVersion,
	startNatsServer,
} from "./nats-server.js";
