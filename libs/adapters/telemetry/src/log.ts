import { type DestinationStream, type Logger, pino } from "pino";

export type { Logger };

export interface LogOptions {
	/** A pino level. */
	readonly level: string;
	/** The process: `segue`, `decider`, `learner`. */
	readonly name: string;
	/** Stdout where not given. */
	readonly destination?: DestinationStream;
}

const SECRETS = [
	"authorization",
	"cookie",
	"password",
	"connectionString",
	"databaseUrl",
	"natsUrl",
	"DATABASE_URL",
	"NATS_URL",
	"salt",
];
/** Password of a URL, wherever one stands in a text: drivers put them into their errors. */
const URL_PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s:@/]*:)[^\s@/]+@/gi;
const REMOVED = "[removed]";

/** A logger of JSON lines, one event a line, that removes secrets by field name and passwords from URLs. */
export function createLog(options: LogOptions): Logger {
	return pino(
		{
			level: options.level,
			base: { name: options.name, pid: process.pid },
			timestamp: pino.stdTimeFunctions.isoTime,
			formatters: { level: (level) => ({ level }) },
			redact: {
				paths: SECRETS.flatMap((secret) => [
					secret,
					`*.${secret}`,
					`*.*.${secret}`,
				]),
				censor: REMOVED,
			},
			serializers: { err: withoutPasswords },
			hooks: {
				logMethod(args, method) {
					const clean = args.map((arg: unknown) =>
						typeof arg === "string" ? withoutPassword(arg) : arg,
					) as typeof args;
					method.apply(this, clean);
				},
			},
		},
		...(options.destination ? [options.destination] : []),
	);
}

function withoutPassword(text: string): string {
	return text.replace(URL_PASSWORD, `$1${REMOVED}@`);
}

function withoutPasswords(error: Error): unknown {
	const plain = pino.stdSerializers.err(error);
	return typeof plain === "object" && plain !== null
		? JSON.parse(withoutPassword(JSON.stringify(plain)))
		: plain;
}
