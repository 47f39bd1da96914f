import { loadavg } from "node:os";
import { closedLoop, type Load, type Measured } from "./load.js";

export interface Side {
	readonly name: string;
	readonly load: Load;
}

/** How a comparison goes. */
export interface Rounds {
	/** Of each side. */
	readonly rounds: number;
	readonly say: (text: string) => void;
}

/** What the same rounds of two sides measured. */
export interface Compared {
	readonly ours: readonly Measured[];
	readonly baseline: readonly Measured[];
}

/** A server is warm when its code is compiled: after so many answers, however long a busy machine takes for them. */
const WARM_ANSWERS = 40_000;
const LONGEST_WARM_UP_S = 60;

export async function warmUp(
	{ name, load }: Side,
	{ say }: Rounds,
): Promise<void> {
	let answered = 0;
	let seconds = 0;
	for (
		;
		answered < WARM_ANSWERS && seconds < LONGEST_WARM_UP_S;
		seconds += load.seconds
	)
		answered += (await closedLoop(load)).answered;
	say(`  ${name} is warm after ${answered} answers`);
}

/** Rounds of both sides in turn, the order changing each time; a first one does not count. */
export async function compare(
	ours: Side,
	baseline: Side,
	{ rounds, say }: Rounds,
): Promise<Compared> {
	const measured = { ours: [] as Measured[], baseline: [] as Measured[] };
	for (let round = -1; round < rounds; round++) {
		const order = [
			["ours", ours],
			["baseline", baseline],
		] as const;
		const said: string[] = [];
		for (const [who, side] of round % 2 === 0 ? order : [...order].reverse()) {
			const one = await closedLoop(side.load);
			if (round >= 0) measured[who].push(one);
			said.push(
				`${side.name} ${Math.round(one.perSecond)}/s p99 ${one.p99Ms.toFixed(1)} ms`,
			);
		}
		say(
			`  ${round < 0 ? "first, not counted" : `round ${round + 1}`}: ${said.join(", ")} (load ${loadavg()[0]?.toFixed(1)})`,
		);
	}
	return measured;
}
