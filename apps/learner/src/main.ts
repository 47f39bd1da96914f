import { isTransient } from "#adapters/postgres";
import { Metrics } from "#adapters/telemetry";
import { OperationsModule } from "#api";
import { logDays } from "../../boot/src/kept-for.js";
import { openPrivacy } from "../../boot/src/open-privacy.js";
import { openParts } from "../../boot/src/parts.js";
import { runProcess } from "../../boot/src/process.js";
import { saySetup } from "../../boot/src/say-setup.js";
import { serve } from "../../decider/src/serve.js";
import { startLearner } from "./compose-learner.js";
import { startUnitUpkeep } from "./unit-upkeep.js";

/** A learner of its own: no REST but health and metrics. */
await runProcess("learner", async ({ config, log, shutdown }) => {
	const { policy } = await openPrivacy(config, log);
	const parts = await openParts(config, log, shutdown, false);
	saySetup(config, parts, log);
	const metrics = new Metrics();
	const health = startLearner(parts, log, metrics, shutdown, {
		...config,
		logDays: logDays(config.logDays, policy, (said) => log.info(said)),
	});
	startUnitUpkeep(parts, policy, log, shutdown);
	const operations = {
		health,
		metricsText: () => metrics.render(),
		onUnexpected: (error: unknown, where: string) =>
			log.error({ err: error }, `An unexpected error at ${where}`),
		isDatabaseAway: isTransient,
	};
	const door = {
		host: config.host,
		port: config.learnerPort,
		natsUrl: null,
		docs: false,
		log,
	};
	log.info(
		`listening on ${await serve(OperationsModule.with(operations), door, shutdown)}`,
	);
});
