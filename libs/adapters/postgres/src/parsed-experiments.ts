import type { Experiment } from "#core/experiment";

/** Arms of all experiments that are kept: a hundred rows of a hundred arms, some tens of MB where arms have rules and payloads. */
const MOST_ARMS = 10_000;

/** Definition rows never change, and to parse one of hundreds of arms takes up to a tenth of a second: those read last are kept, by row id. */
export class ParsedExperiments {
	readonly #kept = new Map<number, Experiment>();
	#arms = 0;

	constructor(private readonly mostArms = MOST_ARMS) {}

	get(id: number): Experiment | undefined {
		const found = this.#kept.get(id);
		if (found !== undefined) {
			this.#kept.delete(id);
			this.#kept.set(id, found);
		}
		return found;
	}

	keep(id: number, experiment: Experiment): void {
		if (this.#kept.has(id) || experiment.arms.length > this.mostArms) return;
		this.#kept.set(id, experiment);
		this.#arms += experiment.arms.length;
		for (const [oldest, { arms }] of this.#kept) {
			if (this.#arms <= this.mostArms) return;
			this.#kept.delete(oldest);
			this.#arms -= arms.length;
		}
	}
}
