import type pg from "pg";
import { spellings, takeOut } from "#usecases/erasing";

const PAGE = 500;

interface Letter {
	id: number;
	payload: Buffer;
	reason: string;
}

/** What to do with dead letters that hold erased units: most go, a pack of several units' items is shortened. */
export interface LetterChanges {
	/** Letters up to this id were looked at. */
	readonly newest: number;
	readonly gone: readonly number[];
	readonly shortened: ReadonlyMap<number, Uint8Array>;
}

export const noLetters: LetterChanges = {
	newest: 0,
	gone: [],
	shortened: new Map(),
};

/** Looks through the letters after those that were looked at, up to the newest where it is known. The bytes are searched in the database, what they mean is told here. */
export async function findLetters(
	client: Pick<pg.ClientBase, "query">,
	units: readonly string[],
	known: LetterChanges,
	upTo: number | null = null,
): Promise<LetterChanges> {
	const erased = new Set(units);
	const needles = units.flatMap(spellings).map((bytes) => Buffer.from(bytes));
	const texts = needles.map((needle) => needle.toString("utf8"));
	const gone = [...known.gone];
	const shortened = new Map(known.shortened);
	const last = upTo ?? (await readNewest(client));
	for (let after = known.newest; after < last; ) {
		const { rows } = await client.query<Letter>(
			`select l.id, l.payload, l.reason from dead_letters l where l.id > $1 and l.id <= $2
			and exists (
				select from unnest($3::bytea[], $4::text[]) as n (bytes, text)
				where position(n.bytes in l.payload) > 0 or position(n.text in l.reason) > 0
			)
			order by l.id limit $5`,
			[after, last, needles, texts, PAGE],
		);
		for (const { id, payload, reason } of rows) {
			const left = takeOut(payload, erased);
			const told = takeOut(Buffer.from(reason), erased) !== "all";
			if (left === "nothing" || told) gone.push(id);
			else if (left !== "all") shortened.set(id, left);
		}
		after = rows.length < PAGE ? last : (rows.at(-1)?.id ?? last);
	}
	return { newest: last, gone, shortened };
}

async function readNewest(
	client: Pick<pg.ClientBase, "query">,
): Promise<number> {
	const { rows } = await client.query<{ newest: number | null }>(
		"select max(l.id) as newest from dead_letters l",
	);
	return rows[0]?.newest ?? 0;
}

/** Returns how many letters went or lost items. */
export async function changeLetters(
	client: pg.ClientBase,
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
				[...shortened.values()].map((payload) => Buffer.from(payload)),
			],
		);
		changed += rowCount ?? 0;
	}
	return changed;
}
