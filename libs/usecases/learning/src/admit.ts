import { compileEncoder } from "#core/context";
import type { Definition } from "#core/experiment";
import { isFuture } from "#core/experiment";
import { LOG_SUBJECT, timeOfId } from "#core/log";
import { type Left, namedUnits, takeOutNamed } from "#usecases/erasing";
import { refusedDecision, refusedEvent } from "./dead-letter.js";
import type {
	Batch,
	DeadLetter,
	ItemSource,
	LoggedDecision,
	LoggedEvent,
} from "./ports.js";

const AHEAD_MS = 5 * 60_000;
/** Of all dead letters of a batch: looking them up takes as long as a few large letters take to store. */
const MOST_NAMED = 50_000;
const encoder = new TextEncoder();

export interface AdmissionRules {
	/** Ids before it are refused: their partitions are gone. */
	readonly horizon: string;
	/** The instant up to which a unit was erased, milliseconds; absent for units never erased. */
	readonly erasedAt: (unit: string) => number | undefined;
	/** What `namesIn` found in the batch's dead letters; empty where nobody was ever erased. */
	readonly named: NamesInLetters;
	readonly definition: (id: number) => Definition | undefined;
}

/** The units that each letter may be about; null: more than are looked up. */
export type NamesInLetters = ReadonlyMap<DeadLetter, readonly string[] | null>;

export interface Admitted {
	/** By id: of several rows under one id in a batch the first is the decision. */
	readonly decisions: ReadonlyMap<string, LoggedDecision>;
	readonly outcomes: readonly LoggedEvent[];
	readonly signals: readonly LoggedEvent[];
	readonly deadLetters: readonly DeadLetter[];
	/** Further rows under the id of one in `decisions`. */
	readonly repeated: readonly LoggedDecision[];
	/**
	 * Covered by a tombstone, by its own time or by the stream's: dropped without a trace, since a trace would bring the person back.
	 */
	readonly erased: { readonly decisions: number; readonly events: number };
}

/** Sorts a batch into what may enter the set, what is dead-lettered with its reason, and what an erasure covers. Pure. */
export function admit(batch: Batch, rules: AdmissionRules): Admitted {
	const decisions = new Map<string, LoggedDecision>();
	const outcomes: LoggedEvent[] = [];
	const signals: LoggedEvent[] = [];
	const horizonMs = timeOfId(rules.horizon);
	const repeated: LoggedDecision[] = [];
	const erased = { decisions: 0, events: 0 };
	const isErased = (unit: string, at: number, source: ItemSource) =>
		Math.min(at, source.storedAt) <=
		(rules.erasedAt(unit) ?? Number.NEGATIVE_INFINITY);
	const deadLetters = batch.deadLetters.flatMap((letter) => {
		const left = withoutErased(letter, rules);
		if (left === null)
			erased[letter.source.subject === LOG_SUBJECT ? "decisions" : "events"]++;
		return left ?? [];
	});
	// An instant that cannot be is none: such an item may be of before the erasure, as what cannot be understood may.
	const refuse = (unit: string, letter: DeadLetter, reason: string) =>
		deadLetters.push(
			reason.startsWith("future:") && rules.erasedAt(unit) !== undefined
				? withoutWords(letter)
				: letter,
		);

	for (const decision of batch.decisions) {
		const { row, source } = decision;
		if (isErased(row.unit, timeOfId(row.id), source)) {
			erased.decisions++;
			continue;
		}
		const reason =
			idRefusal(row.id, horizonMs, source) ?? decisionRefusal(decision, rules);
		if (reason !== null)
			refuse(row.unit, refusedDecision(decision, reason), reason);
		else if (decisions.has(row.id)) repeated.push(decision);
		else decisions.set(row.id, decision);
	}
	for (const logged of batch.events) {
		const { event, source } = logged;
		const at =
			event.decisionId === undefined ? event.at : timeOfId(event.decisionId);
		if (isErased(event.unit, at, source)) {
			erased.events++;
			continue;
		}
		const reason = eventRefusal(logged, horizonMs);
		if (reason !== null)
			refuse(event.unit, refusedEvent(logged, reason), reason);
		else (event.decisionId === undefined ? signals : outcomes).push(logged);
	}
	return { decisions, repeated, outcomes, signals, deadLetters, erased };
}

/**
 * For `admit`, to be called where anybody was ever erased. A reason may quote what the payload does not have. Where a batch's letters name
 * more than are looked up, those that name least come first.
 */
export function namesIn(letters: readonly DeadLetter[]): NamesInLetters {
	const named = letters.map(({ payload, reason }) => {
		const told = namedUnits(encoder.encode(reason));
		const kept = namedUnits(payload);
		return told && kept && [...new Set([...kept, ...told])];
	});
	let left = MOST_NAMED;
	const byNames = [...letters.keys()].sort(
		(a, b) => (named[a]?.length ?? 0) - (named[b]?.length ?? 0),
	);
	return new Map(
		byNames.map((i) => {
			const names = named[i] ?? null;
			left -= names?.length ?? 0;
			return [letters[i] as DeadLetter, left < 0 ? null : names];
		}),
	);
}

/**
 * What could not be understood may name an erased unit all the same. Null where nothing of it may be kept: it came before the erasure.
 * What came after it may be of before it, sent again, or of a unit that returned: that there was something is kept, its words are not.
 */
function withoutErased(
	letter: DeadLetter,
	{ named, erasedAt }: AdmissionRules,
): DeadLetter | null {
	const names = named.get(letter);
	if (names === null) return withoutWords(letter);
	const { source, at } = letter;
	const isDated = at !== undefined && at <= source.storedAt + AHEAD_MS;
	const instant = Math.min(isDated ? at : source.storedAt, source.storedAt);
	const erased = new Set<string>();
	const covered = new Set<string>();
	for (const unit of names ?? []) {
		const until = erasedAt(unit);
		if (until === undefined) continue;
		if (instant <= until) covered.add(unit);
		if (instant <= until || !isDated) erased.add(unit);
	}
	const left = leftOf(letter, erased);
	if (left === "nothing")
		return leftOf(letter, covered) === "nothing" ? null : withoutWords(letter);
	return left === "all" ? letter : { ...letter, payload: left };
}

function leftOf(
	{ payload, reason }: DeadLetter,
	units: ReadonlySet<string>,
): Left {
	if (units.size === 0) return "all";
	const isTold = takeOutNamed(encoder.encode(reason), units) !== "all";
	return isTold ? "nothing" : takeOutNamed(payload, units);
}

/** Also the reason's end goes: it may quote what it is about. */
function withoutWords({ source, reason }: DeadLetter): DeadLetter {
	const kind = reason.split(":", 1)[0];
	return {
		source,
		reason: `${kind}: its words may name an erased unit and are not kept`,
		payload: new Uint8Array(),
	};
}

function idRefusal(
	id: string,
	horizonMs: number,
	source: ItemSource,
): string | null {
	const at = timeOfId(id);
	if (at < horizonMs)
		return `before horizon: the id ${id} is older than the oldest partition of the log`;
	if (at > source.storedAt + AHEAD_MS)
		return `future: the id ${id} is more than 5 minutes ahead of the stream's clock`;
	return null;
}

function eventRefusal(
	{ event, source }: LoggedEvent,
	horizonMs: number,
): string | null {
	if (isFuture(event.at, source.storedAt))
		return `future: at is more than 5 minutes ahead of the stream's clock`;
	if (event.decisionId !== undefined)
		return idRefusal(event.decisionId, horizonMs, source);
	return event.at < horizonMs
		? "before horizon: at is older than the oldest partition of the log"
		: null;
}

const dimensions = new WeakMap<Definition, number>();

function dimensionOf(definition: Definition): number {
	const known = dimensions.get(definition);
	if (known !== undefined) return known;
	const { d } = compileEncoder(definition.experiment.context);
	dimensions.set(definition, d);
	return d;
}

/** A row must agree with the definition it names, or its sums would have no meaning. */
function decisionRefusal(
	{ row }: LoggedDecision,
	rules: AdmissionRules,
): string | null {
	const definition = rules.definition(row.definitionId);
	if (!definition)
		return `unknown definition: no definition row has the id ${row.definitionId}`;
	if (
		definition.experiment.key !== row.experiment ||
		definition.version !== row.version
	)
		return `wrong definition: row ${row.definitionId} is not ${row.experiment} version ${row.version}`;
	if (!definition.experiment.arms.some((arm) => arm.key === row.arm))
		return `unknown arm: ${row.experiment} has no arm ${row.arm} in definition ${row.definitionId}`;
	const d = dimensionOf(definition);
	return row.x.length === d
		? null
		: `wrong dimension: x has ${row.x.length} coordinates, the definition encodes ${d}`;
}
