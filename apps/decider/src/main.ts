import { Metrics } from "#adapters/telemetry";
import { ApiModule } from "#api";
import { openPrivacy } from "../../boot/src/open-privacy.js";
import { openParts } from "../../boot/src/parts.js";
import { runProcess } from "../../boot/src/process.js";
import { saySetup } from "../../boot/src/say-setup.js";
import { composeDecider } from "./compose-decider.js";
import { serve } from "./serve.js";
import { traced } from "./traced.js";

/** A decider of its own: REST and `segue.decide`, against a database and a stream that are given. */
await runProcess("decider", async ({ config, log, shutdown }) => {
	const privacy = await openPrivacy(config, log);
	const parts = await openParts(config, log, shutdown, false);
	saySetup(config, parts, log);
	const api = await composeDecider({
		config,
		parts,
		privacy,
		log,
		metrics: new Metrics(),
		shutdown,
	});
	const door = {
		host: config.host,
		port: config.port,
		natsUrl: parts.natsUrl,
		docs: true,
		log,
	};
	const module = ApiModule.with(config.tracing ? traced(api) : api);
	const url = await serve(module, door, shutdown);
	log.info(`listening on ${url}, API at ${url}/docs`);
});
