import { Metrics } from "#adapters/telemetry";
import { ApiModule } from "#api";
import { logDays } from "../../boot/src/kept-for.js";
import { openPrivacy } from "../../boot/src/open-privacy.js";
import { openParts } from "../../boot/src/parts.js";
import { runProcess } from "../../boot/src/process.js";
import { writeRuntime } from "../../boot/src/runtime-file.js";
import { saySetup } from "../../boot/src/say-setup.js";
import { composeDecider } from "../../decider/src/compose-decider.js";
import { serve } from "../../decider/src/serve.js";
import { traced } from "../../decider/src/traced.js";
import { startLearner } from "../../learner/src/compose-learner.js";
import { startUnitUpkeep } from "../../learner/src/unit-upkeep.js";

/** Decider and learner in one process, with the parts that are not given as children. */
await runProcess("segue", async ({ config, log, shutdown }) => {
	const privacy = await openPrivacy(config, log);
	const parts = await openParts(config, log, shutdown, true);
	saySetup(config, parts, log);
	const metrics = new Metrics();
	const learner = startLearner(parts, log, metrics, shutdown, {
		...config,
		logDays: logDays(config.logDays, privacy.policy, (said) => log.info(said)),
	});
	startUnitUpkeep(parts, privacy.policy, log, shutdown);
	const api = await composeDecider({
		config,
		parts,
		privacy,
		log,
		metrics,
		shutdown,
	});
	/** Ready as the decider is; the learner adds its own parts. */
	const health = async () => {
		const [deciding, learning] = await Promise.all([api.health(), learner()]);
		return { ...deciding, parts: { ...learning.parts, ...deciding.parts } };
	};
	const door = {
		host: config.host,
		port: config.port,
		natsUrl: parts.natsUrl,
		docs: true,
		log,
	};
	const whole = { ...api, health };
	const module = ApiModule.with(config.tracing ? traced(whole) : whole);
	const url = await serve(module, door, shutdown);
	const { databaseUrl, natsUrl } = parts;
	const runtime = {
		pid: process.pid,
		url,
		databaseUrl,
		natsUrl,
		stream: parts.jetStream === null ? "postgres" : "jetstream",
	};
	shutdown.add("runtime file", await writeRuntime(config.dataFolder, runtime));
	log.info(`listening on ${url}, API at ${url}/docs`);
});
