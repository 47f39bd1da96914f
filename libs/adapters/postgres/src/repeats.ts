import {
	type DecisionRow,
	decodeMessage,
	encodeDecisions,
	LOG_SUBJECT,
} from "#core/log";
import type {
	DrawnDecision,
	KeptDecision,
	RepeatableAsk,
	Repeats,
	StandingDecision,
} from "#usecases/deciding";
import { AskGroups } from "./ask-groups.js";
import type { Database } from "./database.js";

const MOST_ITEMS = 128;
/** Fewer than the connections of its pool need be: more would only wait for each other's commits. */
const MOST_FLIGHTS = 3;
const MOST_WAITING = 5_000;
/** A decision whose context is larger than this is not kept. */
const MOST_BYTES = 256 * 1_024;
/** A database out of reach fails every ask; it is told of once in so long. */
const TELL_EVERY_MS = 1_000;
/** The row is kept as a pack of one; who publishes it packs it anew. */
const NOBODY = { boot: "00000000-0000-0000-0000-000000000000", sequence: 1 };

/** Looks for what nobody asks for. */
const NOTHING: RepeatableAsk = {
	experiment: "",
	kind: "request",
	key: "",
	unit: "",
	requestHash: null,
	spanMs: 0,
	decision: null,
	replaces: null,
};

interface EncodedAsk {
	readonly ask: RepeatableAsk;
	readonly answer: string | null;
	readonly row: Buffer | null;
}

/** What stands under the key of the ask at a place, from 1; or, where `place` is null, which decision was kept under a key. */
interface KeepRecord {
	place: number | null;
	key: string;
	decision_id: string;
	request_hash: Buffer | null;
	answer: DrawnDecision | null;
	row: Buffer | null;
}

/** The table `requests`: one round trip for all that is asked at once. Needs a pool that no long statement holds up. */
export class PostgresRepeats implements Repeats {
	readonly #groups: AskGroups<
		EncodedAsk,
		{ standing: StandingDecision | null }
	>;
	#toldAt = Number.NEGATIVE_INFINITY;

	constructor(
		private readonly database: Database,
		private readonly onTrouble: (error: unknown) => void = () => {},
	) {
		this.#groups = new AskGroups({
			mostItems: MOST_ITEMS,
			mostFlights: MOST_FLIGHTS,
			mostWaiting: MOST_WAITING,
			send: (asks) => this.#keepAll(asks),
		});
	}

	/** Opens connections and prepares the statement on them, which takes longer than the first asks have. */
	async warm(): Promise<void> {
		const nothing = { ask: NOTHING, answer: null, row: null };
		const flights = Array.from({ length: MOST_FLIGHTS }, () => [nothing]);
		await Promise.all(flights.map((asks) => this.#keepAll(asks)));
	}

	async keep(
		ask: RepeatableAsk,
		timeoutMs: number,
	): Promise<StandingDecision | null> {
		try {
			return (await this.#groups.ask(encode(ask), timeoutMs)).standing;
		} catch (error) {
			this.#tell(error);
			throw error;
		}
	}

	async #keepAll(
		asks: readonly EncodedAsk[],
	): Promise<({ standing: StandingDecision | null } | undefined)[]> {
		const records = await this.database.query<KeepRecord>(
			keepSql,
			columnsOf(asks),
			"segue-keep-decisions",
		);
		const found = new Map<number, KeepRecord>();
		const kept = new Map<string, EncodedAsk>();
		const byId = new Map(asks.map((one) => [idOf(one), one]));
		for (const record of records) {
			const one = byId.get(record.decision_id);
			if (record.place !== null) found.set(record.place, record);
			else if (one !== undefined) kept.set(record.key, one);
		}
		return asks.map((one, i) => {
			const record = found.get(i + 1);
			if (record !== undefined)
				return {
					standing:
						record.decision_id === idOf(one) ? null : toStanding(record),
				};
			const beside = kept.get(keyOf(one));
			if (beside === one) return { standing: null };
			if (beside !== undefined) return { standing: standingOf(beside) };
			return one.ask.decision === null ? { standing: null } : undefined;
		});
	}

	#tell(error: unknown): void {
		const now = performance.now();
		if (now - this.#toldAt < TELL_EVERY_MS) return;
		this.#toldAt = now;
		this.onTrouble(error);
	}
}

/**
 * What stands under each key is found by an index and costs no write. What is not found is inserted, keys in order, since two
 * statements that meet on two keys in different orders would lock each other out; of several asks under one key the first is. A row
 * that another statement inserted since this one's snapshot is neither found nor replaced: such an ask gets no record here and is
 * asked again, when it is found.
 */
const keepSql = `with asked as materialized (
		select a.*, r.decision_id as standing_id, r.request_hash as standing_hash, r.answer as standing_answer, r.row as standing_row
		from unnest(
			$1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::float8[], $7::uuid[], $8::uuid[], $9::json[], $10::bytea[]
		) with ordinality as a (experiment, kind, key, unit, request_hash, span_ms, replaced, decision_id, answer, row, place)
		left join requests r on r.experiment = a.experiment and r.kind = a.kind and r.key = a.key
			and r.expires_at > now() and r.decision_id is distinct from a.replaced
	), kept as (
		insert into requests as r (experiment, kind, key, unit, request_hash, replaced, decision_id, answer, row, expires_at)
		select distinct on (a.experiment, a.kind, a.key) a.experiment, a.kind, a.key, a.unit, a.request_hash, a.replaced,
			a.decision_id, a.answer, a.row, now() + a.span_ms * interval '1 millisecond'
		from asked a
		where a.decision_id is not null and a.standing_id is null
		order by a.experiment, a.kind, a.key, a.place
		on conflict (experiment, kind, key) do update set unit = excluded.unit, request_hash = excluded.request_hash,
			replaced = excluded.replaced, decision_id = excluded.decision_id, answer = excluded.answer, row = excluded.row,
			expires_at = excluded.expires_at
		where r.expires_at <= now() or r.decision_id = excluded.replaced
		returning r.experiment, r.kind, r.key, r.decision_id
	)
	select a.place::int, '' as key, a.standing_id as decision_id, a.standing_hash as request_hash, a.standing_answer as answer,
		case when segue_is_logged(a.standing_id) then null else a.standing_row end as row
	from asked a where a.standing_id is not null
	union all
	select null, k.experiment || ' ' || k.kind || ' ' || k.key, k.decision_id, null, null, null from kept k`;

function columnsOf(asks: readonly EncodedAsk[]): unknown[] {
	return [
		asks.map(({ ask }) => ask.experiment),
		asks.map(({ ask }) => ask.kind),
		asks.map(({ ask }) => ask.key),
		asks.map(({ ask }) => ask.unit),
		asks.map(({ ask: { requestHash } }) =>
			requestHash === null ? null : Buffer.from(requestHash, "hex"),
		),
		asks.map(({ ask }) => ask.spanMs),
		asks.map(({ ask }) => ask.replaces),
		asks.map(({ ask }) => ask.decision?.answer.decisionId ?? null),
		asks.map(({ answer }) => answer),
		asks.map(({ row }) => row),
	];
}

function encode(ask: RepeatableAsk): EncodedAsk {
	const { decision } = ask;
	if (decision === null) return { ask, answer: null, row: null };
	const answer = JSON.stringify(decision.answer);
	const row =
		decision.row === null
			? null
			: Buffer.from(encodeDecisions([decision.row], NOBODY));
	const bytes = Buffer.byteLength(answer) + (row?.length ?? 0);
	if (bytes > MOST_BYTES)
		throw new RangeError(
			`The decision has ${bytes} bytes; at most ${MOST_BYTES} are kept for who asks again. Send a smaller context.`,
		);
	return { ask, answer, row };
}

const idOf = ({ ask }: EncodedAsk): string | undefined =>
	ask.decision?.answer.decisionId;

/** As the statement names the key of what it kept. */
const keyOf = ({ ask }: EncodedAsk): string =>
	`${ask.experiment} ${ask.kind} ${ask.key}`;

/** What an ask of the same statement kept. */
function standingOf({ ask }: EncodedAsk): StandingDecision {
	const { requestHash, decision } = ask;
	return { ...(decision as KeptDecision), requestHash };
}

function toStanding(record: KeepRecord): StandingDecision {
	return {
		answer: record.answer as DrawnDecision,
		row: record.row === null ? null : decode(record.row),
		requestHash: record.request_hash?.toString("hex") ?? null,
	};
}

function decode(bytes: Buffer): DecisionRow {
	const { items } = decodeMessage(LOG_SUBJECT, bytes);
	const [item] = items;
	if (!item?.ok)
		throw new Error(`A kept decision cannot be read: ${item?.reason}`);
	return item.value as DecisionRow;
}

/** Frees keys whose time is over, in statements of at most `most`; returns how many. */
export async function forgetRepeats(
	database: Pick<Database, "query">,
	most = 5_000,
): Promise<number> {
	let total = 0;
	for (;;) {
		const [row] = await database.query<{ n: number }>(
			`with gone as (
				delete from requests r where r.ctid = any (array(
					select e.ctid from requests e where e.expires_at <= now() order by e.expires_at limit $1 for update skip locked
				)) returning 1
			) select count(*)::int as n from gone`,
			[most],
		);
		total += row?.n ?? 0;
		if ((row?.n ?? 0) < most) return total;
	}
}
