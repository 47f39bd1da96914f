import type { ExperimentState, Guardrail } from "#core/experiment";
import {
	guardPlan,
	type Looked,
	lookAtGuard,
	whyNeverActs,
} from "#core/guarding";
import type {
	DefinitionAudit,
	DefinitionStore,
	StoredDefinition,
} from "#usecases/defining";
import { fail } from "#usecases/errors";
import { CountedSince } from "./counted-since.js";
import type { GuardBooks, GuardTrips, StoredTrip } from "./ports.js";

export interface GuardrailStatus {
	/** Which of the definition's guardrails, from 0 on. */
	readonly index: number;
	readonly guardrail: Guardrail;
	/** `tripped`: it acted since it counts; `waiting`: it has too little to judge by. */
	readonly status: "waiting" | "holds" | "tripped";
	/** Of the policy group, counted so far. */
	readonly decisions: number;
	readonly units: number;
	/** The metric, what it is held against, and how far it is at least beyond (below 0: not proved); null while waiting. */
	readonly value: number | null;
	readonly limit: number | null;
	readonly beyondAtLeast: number | null;
	/** What it says now; what it said when it acted is the trip's. */
	readonly sentence: string;
	readonly trip: Pick<StoredTrip, "at" | "sentence"> | null;
}

export interface GuardrailsOfExperiment {
	readonly experiment: string;
	readonly state: ExperimentState;
	readonly held: boolean;
	/** Since when guardrails count, or did last, milliseconds; null: it never ran. */
	readonly since: number | null;
	readonly run: number;
	readonly guardrails: readonly GuardrailStatus[];
}

const PAGE = 20;

/** What an experiment's guardrails have seen, in the run under way or the last. */
export class ReadGuardrails {
	constructor(
		private readonly store: Pick<DefinitionStore, "find">,
		private readonly audit: Pick<DefinitionAudit, "page">,
		private readonly books: Pick<GuardBooks, "sums">,
		private readonly trips: Pick<GuardTrips, "since">,
	) {}

	/** Throws unknown-experiment. */
	async execute(key: string): Promise<GuardrailsOfExperiment> {
		const current = await this.store.find(key);
		if (current === null)
			throw fail(
				"unknown-experiment",
				`There is no experiment "${key.slice(0, 64)}".`,
			);
		const served = await this.#lastServed(current);
		const since =
			served === null ? null : await new CountedSince(this.audit).of(served);
		const { state, held, run } = current;
		return {
			experiment: key,
			state,
			held,
			since: since?.at ?? null,
			run: served?.run ?? run,
			guardrails: await this.#statuses(served ?? current, since?.id ?? null),
		};
	}

	/** The newest row under which the policy served; null where none ever did. */
	async #lastServed(
		current: StoredDefinition,
	): Promise<StoredDefinition | null> {
		const { key } = current.experiment;
		for (let below: number | null = null; ; ) {
			const rows: readonly StoredDefinition[] = await this.audit.page(
				key,
				below,
				PAGE,
			);
			const found = rows.find(
				({ state, held }) => state === "running" && !held,
			);
			if (found !== undefined) return found;
			if (rows.length < PAGE) return null;
			below = (rows.at(-1) as StoredDefinition).id;
		}
	}

	async #statuses(
		{ experiment }: StoredDefinition,
		since: number | null,
	): Promise<readonly GuardrailStatus[]> {
		const { key, guardrails } = experiment;
		const looks = new Map<number, Looked[]>();
		for (const book of guardPlan(experiment)) {
			const sums =
				since === null ? null : await this.books.sums(key, since, book);
			for (const guard of book.guards) {
				const looked = lookAtGuard(guard, sums?.[guard.column] ?? {});
				looks.set(guard.guardrail, [
					...(looks.get(guard.guardrail) ?? []),
					looked,
				]);
			}
		}
		const trips = since === null ? [] : await this.trips.since(key, since);
		return guardrails.map((guardrail, index) => {
			const never = whyNeverActs(experiment, guardrail);
			if (never !== null) return neverActs(guardrail, index, never);
			const trip = trips.find((one) => one.guardrail === index) ?? null;
			return statusOf(guardrail, index, looks.get(index) ?? [], trip);
		});
	}
}

function neverActs(
	guardrail: Guardrail,
	index: number,
	sentence: string,
): GuardrailStatus {
	return {
		index,
		guardrail,
		status: "waiting",
		decisions: 0,
		units: 0,
		value: null,
		limit: null,
		beyondAtLeast: null,
		sentence,
		trip: null,
	};
}

/** Of both bounds of a guardrail, the one that is nearer to be broken. */
function statusOf(
	guardrail: Guardrail,
	index: number,
	looks: readonly Looked[],
	trip: StoredTrip | null,
): GuardrailStatus {
	const atLeast = ({ look }: Looked) =>
		look.kind === "waiting" ? Number.NEGATIVE_INFINITY : look.atLeast;
	const worst = looks.toSorted((a, b) => atLeast(b) - atLeast(a))[0] as Looked;
	const { look, decisions, units, sentence } = worst;
	const numbers =
		look.kind === "waiting"
			? { value: null, limit: null, beyondAtLeast: null }
			: { value: look.value, limit: look.limit, beyondAtLeast: look.atLeast };
	const now = look.kind === "waiting" ? "waiting" : "holds";
	return {
		index,
		guardrail,
		status: trip === null ? now : "tripped",
		decisions,
		units,
		...numbers,
		sentence,
		trip: trip && { at: trip.at, sentence: trip.sentence },
	};
}
