import type { Definition } from "#core/experiment";
import { type Contribution, type Metric, metricsOf } from "#core/metrics";
import type { RunKey, StoredRun } from "./changes.js";
import { bookedIn, runKeyOf } from "./keys.js";
import { copyOfScores, emptyRunScores, type RunScores } from "./scores.js";

interface Held {
	readonly key: RunKey;
	readonly metrics: Metric[];
	readonly scores: RunScores;
}

/** The runs of one step: what their columns mean, and their scores. */
export class HeldRuns {
	readonly #stored: ReadonlyMap<string, StoredRun>;
	readonly #held = new Map<string, Held>();
	/** Of each definition row, the column of each of its metrics. */
	readonly #columns = new Map<number, readonly number[]>();

	constructor(stored: readonly StoredRun[]) {
		this.#stored = new Map(stored.map((run) => [runKeyOf(run), run]));
	}

	scoresOf(key: RunKey): RunScores {
		return this.#hold(key).scores;
	}

	metricsOf(key: RunKey): readonly Metric[] {
		return this.#hold(key).metrics;
	}

	/** A contribution in the columns of its run. Metrics are known by name: the first definition that has one says what it is. */
	inColumns(definition: Definition, contribution: Contribution): Contribution {
		const places = this.#placesOf(definition);
		const { metrics } = this.#hold(bookedIn(definition));
		const isCounted = (place: number) =>
			metrics[place]?.isLate === true && metrics[place].per === "unit";
		if (places.every((place, i) => place === i && !isCounted(place)))
			return contribution;
		const columns = new Array<number>(2 * metrics.length).fill(0);
		places.forEach((place, i) => {
			// So that it is known of a unit whether it was there when the metric was.
			columns[2 * place] = isCounted(place)
				? 1
				: (contribution.columns[2 * i] as number);
			columns[2 * place + 1] = contribution.columns[2 * i + 1] as number;
		});
		return { ...contribution, columns };
	}

	/** Those that the step had to do with, as they are now. */
	get changes(): readonly StoredRun[] {
		return [...this.#held.values()].map(({ key, metrics, scores }) => ({
			...key,
			metrics,
			scores,
		}));
	}

	#placesOf(definition: Definition): readonly number[] {
		const known = this.#columns.get(definition.id);
		if (known !== undefined) return known;
		const { metrics } = this.#hold(bookedIn(definition));
		const isFirst = metrics.length === 0;
		const places = metricsOf(definition.experiment).map((metric) => {
			const place = metrics.findIndex(({ name }) => name === metric.name);
			if (place >= 0) return place;
			return metrics.push(isFirst ? metric : { ...metric, isLate: true }) - 1;
		});
		this.#columns.set(definition.id, places);
		return places;
	}

	#hold({ version, run }: RunKey): Held {
		const name = runKeyOf({ version, run });
		const known = this.#held.get(name);
		if (known !== undefined) return known;
		const stored = this.#stored.get(name);
		const held = {
			key: { version, run },
			metrics: [...(stored?.metrics ?? [])],
			scores:
				stored === undefined ? emptyRunScores() : copyOfScores(stored.scores),
		};
		this.#held.set(name, held);
		return held;
	}
}
