import { isClosing } from "#core/experiment";
import { type Difference, FoldedSums } from "./folded-sums.js";
import type { LoggedState, LogReads } from "./ports.js";

const PAGE = 2_000;
/** An erasure or a dropped day in the middle of a fold makes it anew, so often. */
const MOST_TRIES = 5;

export interface Verification {
	readonly equal: boolean;
	readonly decisions: number;
	readonly outcomes: number;
	readonly revisions: { readonly [experiment: string]: number };
	/** What the fold began from where retention has dropped days: not folded again, but taken as it was stored then. */
	readonly closed: readonly ClosedPart[];
	readonly differences: readonly Difference[];
}

export interface ClosedPart {
	readonly experiment: string;
	/** Sums per version, arm and time bucket. */
	readonly buckets: number;
	/** Decisions that taught, in them. */
	readonly learned: number;
}

interface Folded extends Omit<Verification, "equal" | "revisions"> {
	readonly revision: number;
}

/**
 * Folds the log from nothing, or from what retention folded away, and compares with the stored sums bit for bit (invariant 1). Runs on
 * a live database: each experiment is compared at the revision its sums were read at.
 */
export class Verify {
	constructor(
		private readonly log: LogReads,
		private readonly onProgress: (decisions: number) => void = () => {},
	) {}

	async execute(only?: string): Promise<Verification> {
		const folded = new Map<string, Folded>();
		let decisions = 0;
		for (const experiment of only === undefined
			? await this.log.experiments()
			: [only]) {
			const one = await this.#untilUndisturbed(experiment, decisions);
			folded.set(experiment, one);
			decisions += one.decisions;
		}
		const all = [...folded.values()];
		const differences = all.flatMap((one) => one.differences);
		return {
			equal: differences.length === 0,
			decisions,
			outcomes: all.reduce((sum, one) => sum + one.outcomes, 0),
			revisions: Object.fromEntries(
				[...folded].map(([experiment, { revision }]) => [experiment, revision]),
			),
			closed: all.flatMap((one) => one.closed),
			differences,
		};
	}

	/** What is erased or dropped while the log is read is missing from pages, but not from sums that were read before. */
	async #untilUndisturbed(experiment: string, before: number): Promise<Folded> {
		for (let tries = 1; tries <= MOST_TRIES; tries++) {
			const folded = await this.#fold(experiment, before);
			const floor = await this.log.floor(experiment);
			if (floor <= folded.revision) return folded;
		}
		throw new Error(
			`Rows of ${experiment} were erased or dropped during each of ${MOST_TRIES} tries, so that nothing can be told. Run it again when erasures are through.`,
		);
	}

	async #fold(experiment: string, before: number): Promise<Folded> {
		const stored = await this.log.storedSums(experiment);
		const closed = await this.log.closedSums(experiment);
		const sums = new FoldedSums();
		for (const bucket of closed) sums.begin(experiment, bucket);
		let decisions = 0;
		let outcomes = 0;
		for await (const page of this.#pages(experiment, stored.revision)) {
			for (const state of page) {
				sums.add(state);
				outcomes += state.outcomes.filter((event) => !isClosing(event)).length;
			}
			decisions += page.length;
			this.onProgress(before + decisions);
		}
		const learned = closed.reduce((n, one) => n + (one.sums[0] ?? 0), 0);
		return {
			revision: stored.revision,
			decisions,
			outcomes,
			closed:
				closed.length > 0
					? [{ experiment, buckets: closed.length, learned }]
					: [],
			differences: sums.compare([stored]),
		};
	}

	async *#pages(
		experiment: string,
		revision: number,
	): AsyncGenerator<readonly LoggedState[]> {
		let after: string | null = null;
		while (true) {
			const page: readonly LoggedState[] = await this.log.page(
				experiment,
				revision,
				after,
				PAGE,
			);
			if (page.length > 0) yield page;
			if (page.length < PAGE) return;
			after = page[page.length - 1]?.row.id ?? null;
		}
	}
}
