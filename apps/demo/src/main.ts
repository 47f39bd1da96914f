import { closeConnections } from "./http.js";
import { readOptions, USAGE } from "./options.js";
import { runDemo } from "./run-demo.js";
import { Screen } from "./screen.js";
import { SegueProcess } from "./segue-process.js";

/** Exit codes of a shell for Ctrl-C and a termination. */
const CODES = { SIGINT: 130, SIGTERM: 143 } as const;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
	const startedAt = performance.now();
	const interrupt = new AbortController();
	let code = 0;
	for (const name of ["SIGINT", "SIGTERM"] as const) {
		process.on(name, () => {
			code = CODES[name];
			interrupt.abort(new Error("The demo was interrupted."));
		});
	}
	let segue: SegueProcess | undefined;
	try {
		const options = readOptions(args);
		if (options.help) {
			process.stdout.write(`${USAGE}\n`);
			return 0;
		}
		const screen = new Screen(options.json);
		screen.say("Starting Segue in a temporary folder …");
		segue = await SegueProcess.start();
		const result = await runDemo(
			segue,
			options,
			screen,
			interrupt.signal,
			startedAt,
		);
		await segue.stop();
		if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
	} catch (error) {
		code ||= 1;
		complain(
			interrupt.signal.aborted
				? interrupt.signal.reason
				: ((await segue?.causeOf(error)) ?? error),
		);
	} finally {
		const ended = await end(segue);
		code ||= ended;
	}
	return code;
}

/** Leaves nothing running; 1 where that failed. */
async function end(segue: SegueProcess | undefined): Promise<number> {
	closeConnections();
	try {
		await segue?.stop();
		return 0;
	} catch (error) {
		complain(error);
		return 1;
	}
}

function complain(error: unknown): void {
	process.stderr.write(
		`${error instanceof Error ? error.message : String(error)}\n`,
	);
}
