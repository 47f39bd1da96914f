import type pg from "pg";
import { takeOut, tracesOf } from "#usecases/erasing";

/** Letters read at once. */
const PAGE = 500;
/** No letter has such an id. A range with an end is looked up in the index. */
const BEYOND = "9223372036854775807";

const holds = `exists (
	select from unnest($1::bytea[], $2::text[]) as n (bytes, text)
	where position(n.bytes in l.payload) > 0 or position(n.text in l.reason) > 0
)`;

interface Letter {
	id: number;
	/** Another one once anything of the letter was written. */
	version: string;
	payload: Buffer;
	reason: string;
}

interface Shortened {
	readonly version: string;
	readonly payload: Uint8Array;
}

/** What to do with dead letters that hold erased units: most go, a pack of several units' items is shortened. */
export interface LetterChanges {
	readonly gone: readonly number[];
	readonly shortened: ReadonlyMap<number, Shortened>;
}

/**
 * What was found before the gate. Behind it there may be letters that nobody saw, not all of them newest: ids are given before the
 * commit, so one below others' may come after them. And another erasure may have shortened what this one is to shorten.
 */
export interface LettersSeen extends LetterChanges {
	/** The ids of which there was no letter, as a multirange. */
	readonly unseen: string;
}

type Client = Pick<pg.ClientBase, "query">;

/** Looks through all letters. The bytes are searched in the database, what they mean is told here. */
export async function findLetters(
	client: Client,
	units: readonly string[],
): Promise<LettersSeen> {
	const { rows } = await client.query<{ unseen: string; ids: number[] }>(
		`select ('{[0,)}'::int8multirange - coalesce(range_agg(int8range(l.id, l.id, '[]')), '{}'))::text as unseen,
		coalesce(json_agg(l.id) filter (where ${holds}), '[]') as ids
		from dead_letters l`,
		needlesOf(units),
	);
	const { unseen, ids } = rows[0] as (typeof rows)[number];
	return { unseen, ...(await judge(client, units, ids)) };
}

/** Under the gate: reads what was not seen or has changed since, nothing else. */
export async function judgeUnseen(
	client: Client,
	units: readonly string[],
	seen: LettersSeen,
): Promise<LetterChanges> {
	const ids = await readUnjudged(client, seen);
	const anew = await judge(client, units, ids);
	const shortened = new Map(seen.shortened);
	for (const id of ids) shortened.delete(id);
	for (const [id, left] of anew.shortened) shortened.set(id, left);
	// What holds nobody else does so however much of it another erasure took.
	return { gone: [...seen.gone, ...anew.gone], shortened };
}

/** Reads ids and versions alone, each gap in the index: with 100,000 letters it takes 2 ms, and 4 µs more for each gap between them. */
async function readUnjudged(
	client: Client,
	{ unseen, shortened }: LettersSeen,
): Promise<readonly number[]> {
	const { rows } = await client.query<{ id: number }>({
		name: "segue-unjudged-letters",
		text: `select l.id from unnest($1::int8multirange) as r (ids)
			join dead_letters l on l.id >= lower(r.ids) and l.id < coalesce(upper(r.ids), ${BEYOND})
			union all
			select l.id from unnest($2::bigint[], $3::xid[]) as s (id, version)
			join dead_letters l on l.id = s.id and l.xmin <> s.version`,
		values: [
			unseen,
			[...shortened.keys()],
			[...shortened.values()].map(({ version }) => version),
		],
	});
	return rows.map(({ id }) => id);
}

async function judge(
	client: Client,
	units: readonly string[],
	ids: readonly number[],
): Promise<LetterChanges> {
	const erased = new Set(units);
	const gone: number[] = [];
	const shortened = new Map<number, Shortened>();
	for (let first = 0; first < ids.length; first += PAGE) {
		const { rows } = await client.query<Letter>(
			`select l.id, l.xmin as version, l.payload, l.reason from dead_letters l where l.id = any ($3::bigint[])
			and ${holds}`,
			[...needlesOf(units), ids.slice(first, first + PAGE)],
		);
		for (const { id, version, payload, reason } of rows) {
			const left = takeOut(payload, erased);
			const told = takeOut(Buffer.from(reason), erased) !== "all";
			if (left === "nothing" || told) gone.push(id);
			else if (left !== "all") shortened.set(id, { version, payload: left });
		}
	}
	return { gone, shortened };
}

/** What letters that may name the units have, as bytes and as text, for `holds`. */
function needlesOf(units: readonly string[]): [Buffer[], string[]] {
	const needles = tracesOf(units).map((bytes) => Buffer.from(bytes));
	return [needles, needles.map((needle) => needle.toString("utf8"))];
}

/** Returns how many letters went or lost items. Nobody else writes payloads behind the gate. */
export async function changeLetters(
	client: Client,
	{ gone, shortened }: LetterChanges,
): Promise<number> {
	let changed = 0;
	if (gone.length > 0) {
		const { rowCount } = await client.query(
			"delete from dead_letters l where l.id = any ($1::bigint[])",
			[gone],
		);
		changed += rowCount ?? 0;
	}
	if (shortened.size > 0) {
		const { rowCount } = await client.query(
			`update dead_letters l set payload = r.payload
			from unnest($1::bigint[], $2::bytea[]) as r (id, payload) where l.id = r.id`,
			[
				[...shortened.keys()],
				[...shortened.values()].map(({ payload }) => Buffer.from(payload)),
			],
		);
		changed += rowCount ?? 0;
	}
	return changed;
}
