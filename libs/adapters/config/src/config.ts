import { isIP } from "node:net";
import { resolve } from "node:path";
import { distance } from "fastest-levenshtein";
import { Reader } from "./reader.js";
import { readUnitKeys, type UnitKeySetting } from "./unit-keys.js";
import { type VariableName, variables } from "./variables.js";
import { readWebhook, type WebhookSetting } from "./webhook.js";

export type StreamKind = "jetstream" | "postgres";
export type Durability = "process" | "power";
export type LogLevel = (typeof logLevels)[number];

export interface Config {
	readonly port: number;
	readonly host: string;
	/** Absolute. */
	readonly dataFolder: string;
	/** Null: an embedded PostgreSQL is started. */
	readonly databaseUrl: string | null;
	/** One or several with commas. Null: a nats-server on PATH is started, where there is one. */
	readonly natsUrl: string | null;
	/** Null: JetStream where `natsUrl` is set or a nats-server is there, else Postgres. */
	readonly stream: StreamKind | null;
	readonly durability: Durability;
	readonly decideDeadlineMs: number;
	readonly learnerPort: number;
	readonly spoolMaxBytes: number;
	/** UTC days of the log that are kept, today's included. */
	readonly logDays: number;
	/** Keys that units are named by; empty: units go by the names that clients give them. */
	readonly unitKeys: readonly UnitKeySetting[];
	/** Absolute. Null: the privacy files that ship with Segue. */
	readonly privacyFolder: string | null;
	/** A JSON Web Key Set. Null: no consent tokens are taken. */
	readonly consentKeys: string | null;
	/** Absolute. Null: items have no vectors. */
	readonly itemVectors: string | null;
	/** Null: nobody is told of what guardrails do but by log, metrics and reports. */
	readonly webhook: WebhookSetting | null;
	readonly logLevel: LogLevel;
	/** An OTLP endpoint is set, so spans have somewhere to go. */
	readonly tracing: boolean;
}

export type ConfigResult =
	| {
			readonly ok: true;
			readonly value: Config;
			/** Sentences about what looks like a mistake and was ignored. */
			readonly warnings: readonly string[];
	  }
	| { readonly ok: false; readonly problems: readonly string[] };

const logLevels = [
	"fatal",
	"error",
	"warn",
	"info",
	"debug",
	"trace",
	"silent",
] as const;
const MIB = 1_048_576;
const LARGEST_SPOOL = 1_024 * 1_024 * MIB;

/** The environment → typed configuration, or a sentence for each thing that is wrong. */
export function readConfig(
	environment: NodeJS.ProcessEnv = process.env,
): ConfigResult {
	const reader = new Reader(environment);
	const value: Config = {
		port: reader.integer("PORT", 1, 65_535),
		host: readHost(reader),
		dataFolder: resolve(reader.text("SEGUE_DATA") as string),
		databaseUrl: reader.url("DATABASE_URL", ["postgres:", "postgresql:"]),
		natsUrl: reader.url("NATS_URL", ["nats:", "tls:"], true),
		stream: reader.choice("SEGUE_STREAM", ["jetstream", "postgres"]),
		durability:
			reader.choice("SEGUE_DURABILITY", ["process", "power"]) ?? "process",
		decideDeadlineMs: reader.integer("SEGUE_DECIDE_DEADLINE_MS", 1, 60_000),
		learnerPort: reader.integer("SEGUE_LEARNER_PORT", 1, 65_535),
		spoolMaxBytes: reader.integer("SEGUE_SPOOL_MAX_BYTES", MIB, LARGEST_SPOOL),
		logDays: reader.integer("SEGUE_LOG_DAYS", 2, 36_500),
		unitKeys: readUnitKeys(reader),
		privacyFolder: readPath(reader, "SEGUE_PRIVACY"),
		consentKeys: reader.text("SEGUE_CONSENT_KEYS"),
		itemVectors: readPath(reader, "SEGUE_ITEM_VECTORS"),
		webhook: readWebhook(reader),
		logLevel: reader.choice("LOG_LEVEL", logLevels) ?? "info",
		tracing: hasTraceEndpoint(environment),
	};
	if (reader.problems.length > 0)
		return { ok: false, problems: reader.problems };
	return { ok: true, value, warnings: unknownVariables(environment) };
}

/** This process's environment with changes, to be handed to a child as a whole; undefined takes a variable away. */
export function environmentWith(
	changes: Readonly<Record<string, string | undefined>>,
): NodeJS.ProcessEnv {
	return { ...process.env, ...changes };
}

function readPath(reader: Reader, name: VariableName): string | null {
	const path = reader.text(name);
	return path === null ? null : resolve(path);
}

function readHost(reader: Reader): string {
	const host = reader.text("HOST") as string;
	const name = /^(?=.{1,253}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i;
	if (isIP(host) === 0 && !name.test(host))
		reader.problems.push(
			`HOST is "${host}": set it to an address to listen on, such as 127.0.0.1 or 0.0.0.0, without port or protocol.`,
		);
	return host;
}

function hasTraceEndpoint(environment: NodeJS.ProcessEnv): boolean {
	if (environment.OTEL_SDK_DISABLED?.toLowerCase() === "true") return false;
	return Boolean(
		environment.OTEL_EXPORTER_OTLP_ENDPOINT ||
			environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
	);
}

/** A misspelt variable would otherwise be ignored in silence. */
function unknownVariables(environment: NodeJS.ProcessEnv): string[] {
	const names = variables.map(({ name }) => name as string);
	return Object.keys(environment)
		.filter((name) => name.startsWith("SEGUE_") && !names.includes(name))
		.map((name) => {
			const nearest = names.reduce((best, known) =>
				distance(name, known) < distance(name, best) ? known : best,
			);
			return `${name} is not a variable that Segue knows and is ignored; the nearest is ${nearest}.`;
		});
}
