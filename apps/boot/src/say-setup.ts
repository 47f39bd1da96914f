import type { Config } from "#adapters/config";
import type { Log } from "./log.js";
import type { Parts } from "./parts.js";

const PROMISE = {
	process: "process: what was answered survives kill -9",
	power: "power: what was answered is synced to disk and survives a power cut",
} as const;

/** The first lines of the log: which parts are in use and where the data lies. */
export function saySetup(config: Config, parts: Parts, log: Log): void {
	log.info(`database: ${parts.database}`);
	log.info(`stream: ${parts.stream.description}`);
	log.info(`durability: ${PROMISE[config.durability]}`);
	log.info(`data folder: ${config.dataFolder}`);
}
