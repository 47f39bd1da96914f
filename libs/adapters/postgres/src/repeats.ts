import {
	type DecisionRow,
	decodeMessage,
	encodeDecisions,
	LOG_SUBJECT,
} from "#core/log";
import type {
	DrawnDecision,
	JsonObject,
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
/** Of a statement, so that small asks do not wait long behind large ones. */
const MOST_SENT_BYTES = 1_024 * 1_024;
const MOST_WAITING_BYTES = 64 * 1_024 * 1_024;
/** A decision whose context is larger than this is not kept. */
const MOST_BYTES = 256 * 1_024;
/** As much as a thousand arms of 64 coordinates are explained in. */
const MOST_EXPLAINED_BYTES = 4 * 1_024 * 1_024;
/** Of what the arms have for a request: more than a definition can say, whose body has 1 MiB. */
const MOST_ARMS_BYTES = 2 * 1_024 * 1_024;
/** A database out of reach fails every ask; it is told of once in so long. */
const TELL_EVERY_MS = 1_000;
/** The row is kept as a pack of one; who publishes it packs it anew. */
const NOBODY = { boot: "00000000-0000-0000-0000-000000000000", sequence: 1 };

/** Looks for what nobody asks for. */
const NOTHING: RepeatableAsk = {
	experiment: "",
	unit: "",
	request: null,
	sticky: null,
	decision: null,
};

/** What the statement is given of an ask, in the order of its parameters. */
interface EncodedAsk {
	readonly ask: RepeatableAsk;
	readonly answer: string | null;
	/** Null where it is `answer`. */
	readonly stickyAnswer: string | null;
	readonly row: Buffer | null;
	readonly arms: string | null;
	readonly bytes: number;
}

/** What stands for the ask at a place, from 1. */
interface StandingRecord {
	place: number;
	kind: StandingDecision["under"];
	decision_id: string;
	request_hash: Buffer | null;
	answer: DrawnDecision;
	/** With which it went out again under the requestId; null where it was drawn for that. */
	payload: JsonObject | null;
	row: Buffer | null;
}

/** The table `requests`: one round trip for all that is asked at once. Needs a pool that no long statement holds up. */
export class PostgresRepeats implements Repeats {
	readonly #groups: AskGroups<EncodedAsk, StandingDecision | null>;
	#toldAt = Number.NEGATIVE_INFINITY;

	constructor(
		private readonly database: Pick<Database, "query">,
		private readonly onTrouble: (error: unknown) => void = () => {},
	) {
		this.#groups = new AskGroups({
			mostItems: MOST_ITEMS,
			weigh: ({ bytes }) => bytes,
			mostBytes: MOST_SENT_BYTES,
			mostFlights: MOST_FLIGHTS,
			mostWaiting: MOST_WAITING,
			mostWaitingBytes: MOST_WAITING_BYTES,
			send: (asks) => this.#keepAll(asks),
		});
	}

	/** Opens connections and prepares the statement on them, which takes longer than the first asks have. */
	async warm(): Promise<void> {
		const nothing = encode(NOTHING);
		const flights = Array.from({ length: MOST_FLIGHTS }, () => [nothing]);
		await Promise.all(flights.map((asks) => this.#keepAll(asks)));
	}

	async keep(
		ask: RepeatableAsk,
		timeoutMs: number,
	): Promise<StandingDecision | null> {
		try {
			return await this.#groups.ask(encode(ask), timeoutMs);
		} catch (error) {
			this.#tell(error);
			throw error;
		}
	}

	async #keepAll(
		asks: readonly EncodedAsk[],
	): Promise<(StandingDecision | null)[]> {
		const records = await this.database.query<StandingRecord>(
			keepSql,
			columnsOf(asks),
			"segue-keep-decisions",
		);
		const found = new Map(records.map((record) => [record.place, record]));
		return asks.map(({ ask: { decision } }, i) => {
			const record = found.get(i + 1);
			const isOwn = record?.decision_id === decision?.answer.decisionId;
			return record === undefined || isOwn ? null : toStanding(record);
		});
	}

	#tell(error: unknown): void {
		const now = performance.now();
		if (now - this.#toldAt < TELL_EVERY_MS) return;
		this.#toldAt = now;
		this.onTrouble(error);
	}
}

const keepSql = `select k.place, k.kind, k.decision_id, k.request_hash, k.answer, k.payload, k.row
	from segue_keep_decisions(array(
		select row(a.experiment, a.unit, a.decision_id, a.arm, a.answer, a.sticky_answer, a.packed, a.request_key, a.request_hash,
			a.request_span_ms, a.sticky_kind, a.sticky_key, a.sticky_span_ms, a.arms)::segue_ask
		from unnest(
			$1::text[], $2::text[], $3::uuid[], $4::text[], $5::json[], $6::json[], $7::bytea[], $8::text[], $9::bytea[],
			$10::float8[], $11::text[], $12::text[], $13::float8[], $14::json[]
		) with ordinality as a (experiment, unit, decision_id, arm, answer, sticky_answer, packed, request_key, request_hash,
			request_span_ms, sticky_kind, sticky_key, sticky_span_ms, arms, place)
		order by a.place
	)) k`;

function columnsOf(asks: readonly EncodedAsk[]): unknown[] {
	return [
		asks.map(({ ask }) => ask.experiment),
		asks.map(({ ask }) => ask.unit),
		asks.map(({ ask }) => ask.decision?.answer.decisionId ?? null),
		asks.map(({ ask }) => ask.decision?.answer.arm ?? null),
		asks.map(({ answer }) => answer),
		asks.map(({ stickyAnswer }) => stickyAnswer),
		asks.map(({ row }) => row),
		asks.map(({ ask }) => ask.request?.key ?? null),
		asks.map(({ ask: { request } }) =>
			request === null ? null : Buffer.from(request.hash, "hex"),
		),
		asks.map(({ ask }) => ask.request?.spanMs ?? null),
		asks.map(({ ask }) => ask.sticky?.kind ?? null),
		asks.map(({ ask }) => ask.sticky?.key ?? null),
		asks.map(({ ask }) => ask.sticky?.spanMs ?? null),
		asks.map(({ arms }) => arms),
	];
}

function encode(ask: RepeatableAsk): EncodedAsk {
	const { request, sticky, decision } = ask;
	const arms =
		sticky === null
			? null
			: JSON.stringify(
					// What arms have is kept under a requestId alone; without one it need not be known.
					Object.fromEntries(
						sticky.arms.map((arm, place) => [
							arm,
							request === null || sticky.payloadAt(place),
						]),
					),
				);
	const around =
		bytesOf(arms) +
		bytesOf(ask.unit) +
		bytesOf(request?.key) +
		bytesOf(sticky?.key);
	if (bytesOf(arms) > MOST_ARMS_BYTES)
		throw new RangeError(
			`The payloads of the eligible arms have ${bytesOf(arms)} bytes together; at most ${MOST_ARMS_BYTES} are looked through for who asks again under another requestId. Make payloads smaller.`,
		);
	if (decision === null)
		return {
			ask,
			answer: null,
			stickyAnswer: null,
			row: null,
			arms,
			bytes: around,
		};
	const { explanation, ...plain } = decision.answer;
	const plainAnswer = JSON.stringify(plain);
	const isExplained = explanation !== undefined && request !== null;
	const answer = isExplained ? JSON.stringify(decision.answer) : plainAnswer;
	const row =
		decision.row === null
			? null
			: Buffer.from(encodeDecisions([decision.row], NOBODY));
	const own = bytesOf(answer) + (row?.length ?? 0);
	const most = isExplained ? MOST_EXPLAINED_BYTES : MOST_BYTES;
	if (own > most)
		throw new RangeError(
			`The decision has ${own} bytes; at most ${most} are kept for who asks again. Send a smaller context${isExplained ? ", or ask for its explanation later" : ""}.`,
		);
	const stickyAnswer = isExplained && sticky !== null ? plainAnswer : null;
	const bytes = around + own + bytesOf(stickyAnswer);
	return { ask, answer, stickyAnswer, row, arms, bytes };
}

const bytesOf = (text: string | null | undefined): number =>
	text == null ? 0 : Buffer.byteLength(text);

function toStanding(record: StandingRecord): StandingDecision {
	const { answer, payload } = record;
	return {
		under: record.kind,
		answer:
			// A decider that knows no such payload keeps the whole answer as it goes out again.
			payload === null || answer.repeated
				? answer
				: { ...answer, payload, repeated: true as const },
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
