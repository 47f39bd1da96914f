import type pg from "pg";
import type { DeadLetter } from "#usecases/learning";

const MOST_REASON = 2_000;
/** From here on a payload is a parameter of its own. */
const LARGE_BYTES = 65_536;
/** In one statement, of at most 1 MiB each. */
const MOST_LARGE = 8;

/**
 * Stores them, and returns those that were new: a redelivered one is known by its place in the stream, also within a batch. Small ones by
 * their places, then large ones by theirs: learners that have the same messages must not wait in a circle.
 */
export async function insertDeadLetters(
	client: pg.ClientBase,
	letters: readonly DeadLetter[],
): Promise<ReadonlySet<DeadLetter>> {
	const isLarge = ({ payload }: DeadLetter) => payload.length >= LARGE_BYTES;
	const places = await insertSmall(
		client,
		letters.filter((letter) => !isLarge(letter)),
	);
	const large = letters.filter(isLarge).sort(byPlace);
	for (let first = 0; first < large.length; first += MOST_LARGE)
		places.push(
			...(await insertLarge(client, large.slice(first, first + MOST_LARGE))),
		);
	const fresh = new Set(places);
	return new Set(letters.filter((letter) => fresh.delete(placeOf(letter))));
}

/** All payloads travel as one value: in an array they would go as text in hex. */
async function insertSmall(
	client: pg.ClientBase,
	letters: readonly DeadLetter[],
): Promise<string[]> {
	if (letters.length === 0) return [];
	const begins: number[] = [];
	let end = 1;
	for (const { payload } of letters) {
		begins.push(end);
		end += payload.length;
	}
	const { rows } = await client.query<{ place: string }>({
		name: "segue-insert-dead-letters",
		text: `insert into dead_letters (position, item, stored_at, subject, reason, payload, decision_id)
			select r.position, r.item, to_timestamp(r.stored_at / 1000.0), r.subject, r.reason,
				substring($9::bytea from r.begin for r.length), r.decision_id
			from unnest($1::bigint[], $2::int[], $3::float8[], $4::text[], $5::text[], $6::uuid[], $7::int[], $8::int[])
				as r (position, item, stored_at, subject, reason, decision_id, begin, length)
			order by r.position, r.item
			on conflict do nothing
			returning position || ' ' || item as place`,
		values: [
			letters.map((letter) => letter.source.position),
			letters.map((letter) => letter.source.index),
			letters.map((letter) => letter.source.storedAt),
			letters.map((letter) => storable(letter.source.subject)),
			letters.map((letter) => storable(letter.reason)),
			letters.map((letter) => letter.decisionId ?? null),
			begins,
			letters.map(({ payload }) => payload.length),
			Buffer.concat(letters.map(({ payload }) => payload)),
		],
	});
	return rows.map(({ place }) => place);
}

/** Sorted. Not taken apart by the database, which is a copy of a MiB less. */
async function insertLarge(
	client: pg.ClientBase,
	letters: readonly DeadLetter[],
): Promise<string[]> {
	const row = (_: DeadLetter, i: number) => {
		const [position, item, storedAt, subject, reason, payload, decision] =
			Array.from({ length: 7 }, (_, k) => `$${7 * i + k + 1}`);
		return `(${position}::bigint, ${item}::int, to_timestamp(${storedAt}::float8 / 1000.0), ${subject}, ${reason}, ${payload}::bytea, ${decision}::uuid)`;
	};
	const { rows } = await client.query<{ place: string }>({
		name: `segue-insert-large-letters-${letters.length}`,
		text: `insert into dead_letters (position, item, stored_at, subject, reason, payload, decision_id)
			values ${letters.map(row).join(", ")}
			on conflict do nothing
			returning position || ' ' || item as place`,
		values: letters.flatMap(({ source, reason, payload, decisionId }) => [
			source.position,
			source.index,
			source.storedAt,
			storable(source.subject),
			storable(reason),
			payload,
			decisionId ?? null,
		]),
	});
	return rows.map(({ place }) => place);
}

/** Text as PostgreSQL takes it: without NUL and half surrogate pairs, and bounded. */
function storable(text: string): string {
	return text
		.slice(0, MOST_REASON)
		.replaceAll("\u0000", "\\0")
		.replace(/\p{Surrogate}/gu, "\ufffd");
}

const placeOf = ({ source }: DeadLetter): string =>
	`${source.position} ${source.index}`;

const byPlace = ({ source: a }: DeadLetter, { source: b }: DeadLetter) =>
	a.position - b.position || a.index - b.index;
