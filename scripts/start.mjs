// npm start and its sisters: builds where needed, then runs the app in this very process, which is the one npm signals.
import { fileURLToPath } from "node:url";
import { buildIfStale } from "./build.mjs";

const APPS = ["segue", "decider", "learner", "demo"];
const [, , app, ...args] = process.argv;

if (!APPS.includes(app)) {
	console.error(
		`"${app ?? ""}" is not an app: node scripts/start.mjs ${APPS.join("|")} [arguments]`,
	);
	process.exitCode = 2;
} else if (await buildIfStale()) {
	const main = new URL(`../dist/run/${app}.js`, import.meta.url);
	process.argv = [process.argv[0], fileURLToPath(main), ...args];
	await import(main.href);
} else {
	process.exitCode = 1;
}
