import {
	type Guard,
	type GuardBook,
	guardPlan,
	type Looked,
	lookAtGuard,
} from "#core/guarding";
import {
	type DefinitionStore,
	type StoredDefinition,
	TripGuardrail,
} from "#usecases/defining";
import type { Message } from "#usecases/notifying";
import { Leisure } from "#usecases/pacing";
import type { CountedSince } from "./counted-since.js";
import type { GuardBooks, GuardTrips, Since, Trip } from "./ports.js";

/** How long events may take from a listener to the log, after a decision's window has closed, before it counts; later ones correct it. */
export const GRACE_MS = 5_000;
/** As long as a step of what has piled up takes, learning has the processor after it. */
const REST = 1;
/** Before the others have their turn. */
const MOST_STEPS = 50;

export interface WatchedGuardrails {
	/** Those that acted in this look. */
	readonly tripped: readonly Trip[];
	/** Experiments that were counted as far as the log goes, and those that were not, by keys. */
	readonly current: readonly string[];
	readonly behind: readonly string[];
	/** What failed, by experiment: the others were watched all the same. */
	readonly failed: readonly {
		readonly experiment: string;
		readonly error: unknown;
	}[];
}

export interface GuardOptions {
	/** The clock of the stream: what was stored up to then is learned, milliseconds; null while it cannot be told. */
	readonly clock: () => Promise<number | null>;
	/** Somebody is to be told by webhook. */
	readonly isTold: boolean;
	/** An id of its own for each message. */
	readonly mintId: () => string;
	readonly now: () => number;
	readonly isStopped?: () => boolean;
}

/**
 * One look of all guardrails of all running experiments: each book is counted as far as the log goes, looked at after each step, and what is
 * proved to be beyond its bound is acted on. Any number of processes may watch; each trip is one's alone.
 */
export class WatchGuardrails {
	readonly #plans = new Map<number, readonly GuardBook[]>();

	constructor(
		private readonly definitions: Pick<DefinitionStore, "all">,
		private readonly since: CountedSince,
		private readonly books: Pick<GuardBooks, "step">,
		private readonly trips: GuardTrips,
		private readonly options: GuardOptions,
	) {}

	async execute(): Promise<WatchedGuardrails> {
		const now = await this.options.clock();
		const tripped: Trip[] = [];
		const current: string[] = [];
		const behind: string[] = [];
		const failed: { experiment: string; error: unknown }[] = [];
		if (now === null) return { tripped, current, behind, failed };
		const watched = (await this.definitions.all()).filter(isWatched);
		this.#forgetOthers(watched);
		for (const definition of watched) {
			const { key } = definition.experiment;
			try {
				const { trips, isCurrent } = await this.#watch(definition, now);
				tripped.push(...trips);
				(isCurrent ? current : behind).push(key);
			} catch (error) {
				failed.push({ experiment: key, error });
			}
		}
		return { tripped, current, behind, failed };
	}

	/** Until one of its guardrails has changed what it is: then the rest is for the next look. */
	async #watch(
		definition: StoredDefinition,
		now: number,
	): Promise<{ readonly trips: readonly Trip[]; readonly isCurrent: boolean }> {
		const { key } = definition.experiment;
		const since = await this.since.of(definition);
		const done = new Set(
			(await this.trips.since(key, since.id)).map(({ guardrail }) => guardrail),
		);
		const trips: Trip[] = [];
		for (const book of this.#planOf(definition)) {
			const part = {
				definition,
				since,
				book,
				upTo: now - book.withinMs - GRACE_MS,
			};
			const leisure = new Leisure(REST);
			let isCurrent = false;
			for (let i = 0; !isCurrent; i++) {
				if (i > 0) await leisure.rest();
				if (i === MOST_STEPS || this.options.isStopped?.())
					return { trips, isCurrent: false };
				const step = await this.books.step(part);
				if (step === null) break;
				isCurrent = step.isCurrent;
				if (!step.isLookable) continue;
				for (const guard of book.guards) {
					if (done.has(guard.guardrail)) continue;
					const looked = lookAtGuard(guard, step.sums[guard.column] ?? {});
					if (looked.look.kind !== "breached") continue;
					const trip = tripOf(definition, since, guard, looked);
					if (!(await this.#trip(definition, trip))) continue;
					done.add(guard.guardrail);
					trips.push(trip);
					if (guard.action !== "alert") return { trips, isCurrent: true };
				}
			}
		}
		return { trips, isCurrent: true };
	}

	/** Acts on the very row that was looked at; whoever changed it meanwhile had a reason, and it is looked at anew. */
	#trip(definition: StoredDefinition, trip: Trip): Promise<boolean> {
		const { action, sentence: why } = trip;
		const { run, experiment } = definition;
		return this.trips.trip(
			trip,
			action === "alert"
				? null
				: async (store) => {
						const same: Pick<DefinitionStore, "change"> = {
							change: (key, decide) =>
								store.change(key, (current, newest) =>
									current?.id === definition.id
										? decide(current, newest)
										: null,
								),
						};
						const tripped = { key: experiment.key, run, action, why };
						return (await new TripGuardrail(same).execute(tripped)).acted;
					},
			this.options.isTold ? this.#message(definition, trip) : null,
		);
	}

	#message(
		{ experiment, version, run }: StoredDefinition,
		{ guardrail, metric, action, look, sentence }: Trip,
	): Message {
		return {
			id: this.options.mintId(),
			type: "guardrail.tripped",
			at: this.options.now(),
			data: {
				experiment: experiment.key,
				name: experiment.name,
				version,
				run,
				guardrail: { index: guardrail, metric, action },
				...look,
				sentence,
			},
		};
	}

	#planOf({ id, experiment }: StoredDefinition): readonly GuardBook[] {
		let plan = this.#plans.get(id);
		if (plan === undefined) {
			plan = guardPlan(experiment);
			this.#plans.set(id, plan);
		}
		return plan;
	}

	#forgetOthers(watched: readonly StoredDefinition[]): void {
		const ids = new Set(watched.map(({ id }) => id));
		for (const id of this.#plans.keys())
			if (!ids.has(id)) this.#plans.delete(id);
	}
}

/** While a guardrail holds it, nobody is served what the policy would. */
function isWatched({ state, held, experiment }: StoredDefinition): boolean {
	return state === "running" && !held && experiment.guardrails.length > 0;
}

function tripOf(
	{ experiment }: StoredDefinition,
	since: Since,
	{ guardrail, metric, action }: Guard,
	{ look, decisions, units, sentence }: Looked,
): Trip {
	const { kind: _, ...numbers } = look;
	return {
		experiment: experiment.key,
		since: since.id,
		guardrail,
		metric,
		action,
		look: { decisions, units, ...(numbers as { [name: string]: number }) },
		sentence: `Guardrail ${guardrail + 1} (${metric}, ${action}): ${sentence}`,
	};
}
