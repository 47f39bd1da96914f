import type { Event } from "#core/log";
import { seededRandom } from "../../../../test/support/random.js";

/**
 * A world in which what a listener did in the last minutes may matter. Whoever comes is at one of three activities and did, independently
 * of it, so many skips in the last 30 s, and saves and searches in the last 5 min, and looked at prompts for so long. Each arm is played
 * with a probability that is linear in activity, skips, saves and dwell, so that all of it can be learned, and the best policies can be
 * computed, by going through the 108 kinds of moment.
 */

export const ARMS = ["focus", "energy", "calm", "discover"] as const;
const ACTIVITIES = ["work", "run", "home"] as const;
/** How often the listener did it, or for how many seconds looked, and with what probability. */
const SKIPS = chances([0, 0.5], [1, 0.25], [2, 0.15], [3, 0.1]);
const SAVES = chances([0, 0.7], [1, 0.2], [2, 0.1]);
const DWELLS = chances([1, 0.4], [3, 0.4], [6, 0.2]);
const SEARCHES = chances([0, 0.6], [1, 0.3], [2, 0.1]);

const BASE = 0.45;
/** Leads lie evenly within ± these, so that no probability is beyond 0.06 and 0.84. */
const OF_ACTIVITY = 0.05;
const OF_SIGNAL = 0.225;

interface Chance {
	readonly value: number;
	readonly probability: number;
}

function chances(...pairs: (readonly [number, number])[]): readonly Chance[] {
	return pairs.map(([value, probability]) => ({ value, probability }));
}

/** What tells arms apart. */
interface Situation {
	readonly activity: (typeof ACTIVITIES)[number];
	readonly skips: number;
	readonly saves: number;
	readonly dwell: number;
}

export interface Moment extends Situation {
	readonly unit: string;
	/** What the listener did, in no order; all of it is at the decider by now. */
	readonly events: readonly Event[];
	/** The probability with which each arm would be played, and whether it would be. */
	readonly means: readonly number[];
	readonly plays: readonly boolean[];
}

/** Listeners come in turn: nobody is back within the longest window. */
const LISTENERS = 8_000;

export class Moments {
	readonly #random: () => number;
	/** By arm: what each activity adds, and skips, saves and dwell, each from −½ to ½. */
	readonly #activities: readonly (readonly number[])[];
	readonly #signals: readonly (readonly number[])[];
	#turn = 0;

	/** @param signalsMatter whether anything but the activity tells arms apart */
	constructor(seed: number, signalsMatter: boolean) {
		this.#random = seededRandom(seed);
		const leads = (count: number, most: number) =>
			ARMS.map(() => Array.from({ length: count }, () => this.#within(most)));
		this.#activities = leads(ACTIVITIES.length, OF_ACTIVITY);
		this.#signals = leads(3, signalsMatter ? OF_SIGNAL : 0);
	}

	next(now: number): Moment {
		const turn = this.#turn++;
		const unit = `listener-${turn % LISTENERS}`;
		const situation = {
			activity: ACTIVITIES[Math.floor(3 * this.#random())]!,
			skips: this.#one(SKIPS),
			saves: this.#one(SAVES),
			dwell: this.#one(DWELLS),
		};
		const event = (type: string, i: number, withinMs: number, value = 0) => ({
			id: `${type}-${turn}-${i}`,
			type,
			unit,
			at: now - Math.floor(withinMs * this.#random()),
			value,
		});
		const some = (type: string, count: number, withinMs: number, value = 0) =>
			Array.from({ length: count }, (_, i) => event(type, i, withinMs, value));
		const events = [
			...some("skip", situation.skips, 27_000),
			...some("save", situation.saves, 270_000),
			...some("search", this.#one(SEARCHES), 270_000),
			...some("dwell", 1 + situation.saves, 270_000, situation.dwell),
		];
		const means = this.means(situation);
		const plays = means.map((mean) => this.#random() < mean);
		return { ...situation, unit, events, means, plays };
	}

	means({ activity, skips, saves, dwell }: Situation): number[] {
		const place = ACTIVITIES.indexOf(activity);
		const signals = [skips / 3 - 0.5, saves / 2 - 0.5, (dwell - 1) / 5 - 0.5];
		return ARMS.map((_, arm) =>
			signals.reduce(
				(sum, signal, i) => sum + signal * this.#signals[arm]![i]!,
				BASE + this.#activities[arm]![place]!,
			),
		);
	}

	/** What the best policy earns a decision that knows all, and the best that knows the activity alone: exactly. */
	best(): { readonly withSignals: number; readonly without: number } {
		let withSignals = 0;
		let without = 0;
		for (const activity of ACTIVITIES) {
			const known = ARMS.map(() => 0);
			for (const skips of SKIPS)
				for (const saves of SAVES)
					for (const dwell of DWELLS) {
						const means = this.means({
							activity,
							skips: skips.value,
							saves: saves.value,
							dwell: dwell.value,
						});
						const p =
							(skips.probability * saves.probability * dwell.probability) /
							ACTIVITIES.length;
						withSignals += p * Math.max(...means);
						for (const [arm, mean] of means.entries()) known[arm]! += p * mean;
					}
			without += Math.max(...known);
		}
		return { withSignals, without };
	}

	#within(most: number): number {
		return most * (2 * this.#random() - 1);
	}

	#one(list: readonly Chance[]): number {
		let left = this.#random();
		for (const { value, probability } of list) {
			left -= probability;
			if (left < 0) return value;
		}
		return list.at(-1)!.value;
	}
}
