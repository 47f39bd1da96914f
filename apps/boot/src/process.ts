import { type Config, readConfig } from "#adapters/config";
import { createLog, startTracing } from "#adapters/telemetry";
import type { Log } from "./log.js";
import { endOnSignal, Shutdown } from "./shutdown.js";

export interface Running {
	readonly config: Config;
	readonly log: Log;
	readonly shutdown: Shutdown;
}

/**
 * Runs a process of Segue: configuration, log, traces, then `start`, until a signal ends it.
 * What stops it from starting is one sentence a problem on stderr, and exit code 1 with everything undone.
 */
export async function runProcess(
	name: string,
	start: (running: Running) => Promise<void>,
): Promise<void> {
	const read = readConfig();
	if (!read.ok) {
		for (const problem of read.problems) console.error(problem);
		process.exit(1);
	}
	const config = read.value;
	const log = createLog({ level: config.logLevel, name });
	for (const warning of read.warnings) log.warn(warning);
	const shutdown = new Shutdown({
		failed: (step, error) =>
			log.error({ err: error }, `${step} did not stop well`),
		late: (step, seconds) =>
			log.error(
				`${step} did not stop within ${seconds} s and is left as it is: nothing answered is lost, as after a kill -9`,
			),
	});
	endOnSignal(shutdown, (signal) =>
		log.info(`${signal}: finishing what is in flight`),
	);
	process.on("unhandledRejection", (error) =>
		log.error(
			{ err: error },
			"A rejection was not handled: please report this",
		),
	);
	const tracing = await startTracing({
		enabled: config.tracing,
		serviceName: `segue-${name}`,
	});
	shutdown.add("traces", () => tracing.stop());
	try {
		await start({ config, log, shutdown });
	} catch (error) {
		console.error(error instanceof Error ? error.message : String(error));
		log.debug({ err: error }, "The start failed");
		await shutdown.run();
		process.exit(1);
	}
}
