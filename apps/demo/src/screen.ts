import { Presets, SingleBar } from "cli-progress";

export interface Progress {
	update(done: number): void;
	stop(): void;
}

/** Everything for the eye. With `--json` it goes to stderr, so that stdout holds the result alone. */
export class Screen {
	private readonly out: NodeJS.WriteStream;

	constructor(json: boolean) {
		this.out = json ? process.stderr : process.stdout;
	}

	say(text: string): void {
		this.out.write(`${text}\n`);
	}

	/** A bar on a terminal; elsewhere a line each tenth of the way. */
	progress(label: string, total: number): Progress {
		return this.out.isTTY
			? bar(label, total, this.out)
			: lines(label, total, (text) => this.say(text));
	}
}

function bar(
	label: string,
	total: number,
	stream: NodeJS.WriteStream,
): Progress {
	const format = `  ${label} {bar} {percentage} %  {value} of {total} decisions  {duration_formatted}`;
	const shown = new SingleBar(
		{ format, stream, hideCursor: true, fps: 10 },
		Presets.shades_classic,
	);
	shown.start(total, 0);
	return { update: (done) => shown.update(done), stop: () => shown.stop() };
}

function lines(
	label: string,
	total: number,
	say: (text: string) => void,
): Progress {
	let said = 0;
	return {
		update(done) {
			const tenth = Math.floor((10 * done) / total);
			if (tenth === said) return;
			said = tenth;
			say(`  ${label}: ${done} of ${total} decisions`);
		},
		stop() {},
	};
}
