import type { Verdict } from "#core/experiment";

/** Where what was delivered belongs to no experiment, or to one that cannot be told. */
export const NO_EXPERIMENT = "-";

export type DeliveryKind = "decision" | "event";

/** How many more deliveries of one kind have a verdict now; fewer where negative. */
export interface VerdictChange {
	/** A key, or `-`. */
	readonly experiment: string;
	readonly kind: DeliveryKind;
	readonly verdict: Verdict;
	readonly change: number;
}

/** Adds up changes of verdicts. What a batch adds up to is the number of its deliveries: a changed verdict takes from one and gives to another. */
export class VerdictTally {
	readonly #changes = new Map<string, VerdictChange & { change: number }>();

	add(
		experiment: string,
		kind: DeliveryKind,
		verdict: Verdict,
		change = 1,
	): void {
		const key = `${experiment} ${kind} ${verdict}`;
		const known = this.#changes.get(key);
		if (known) known.change += change;
		else this.#changes.set(key, { experiment, kind, verdict, change });
	}

	addAll(changes: Iterable<VerdictChange>): void {
		for (const { experiment, kind, verdict, change } of changes)
			this.add(experiment, kind, verdict, change);
	}

	/** Without those that cancel out. */
	changes(): readonly VerdictChange[] {
		return [...this.#changes.values()].filter(({ change }) => change !== 0);
	}
}
