import type {
	DeadLetters,
	KeptLetter,
	LetterFilter,
} from "#usecases/redriving";
import type { Database } from "./database.js";

/** Counting goes no further: the number is for an alarm. */
const MOST_COUNTED = 100_000;
const PAGE_BYTES = 16 * 1_048_576;

interface LetterRow {
	id: number;
	subject: string;
	reason: string;
	payload: Buffer;
	received_at: Date;
	redriven_at: Date | null;
	redrives: number;
}

const columns =
	"l.id, l.subject, l.reason, l.payload, l.received_at, l.redriven_at, l.redrives";

const matches = `($1::bigint[] is null or l.id = any ($1::bigint[]))
	and ($2::text is null or starts_with(l.reason, $2))
	and ($3::float8 is null or l.received_at >= to_timestamp($3 / 1000.0))
	and (not $4::boolean or l.redriven_at is null)`;

const valuesOf = ({ ids, reason, since, waiting }: LetterFilter) => [
	ids ?? null,
	reason ?? null,
	since ?? null,
	waiting ?? false,
];

/** The table of dead letters, for people who look at them and publish them again. */
export class PostgresDeadLetters implements DeadLetters {
	constructor(private readonly database: Pick<Database, "query">) {}

	async newest(
		filter: LetterFilter,
		most: number,
	): Promise<readonly KeptLetter[]> {
		const rows = await this.database.query<LetterRow>(
			`select ${columns} from dead_letters l where ${matches} order by l.id desc limit $5`,
			[...valuesOf(filter), most],
		);
		return rows.map(toLetter);
	}

	/** Fewer where they are large, but at least one. */
	async page(
		filter: LetterFilter,
		afterId: number,
		lastId: number,
		most: number,
	): Promise<readonly KeptLetter[]> {
		const rows = await this.database.query<LetterRow>(
			`with next as (
				select l.id, sum(octet_length(l.payload)) over (order by l.id) - octet_length(l.payload) as bytes_before
				from dead_letters l where ${matches} and l.id > $5 and l.id <= $6 order by l.id limit $7
			)
			select ${columns} from next n join dead_letters l on l.id = n.id where n.bytes_before < $8 order by l.id`,
			[...valuesOf(filter), afterId, lastId, most, PAGE_BYTES],
		);
		return rows.map(toLetter);
	}

	async lastId(): Promise<number> {
		const [row] = await this.database.query<{ id: number | null }>(
			"select max(l.id) as id from dead_letters l",
		);
		return row?.id ?? 0;
	}

	async mark(
		letters: readonly Pick<KeptLetter, "id" | "redrives">[],
	): Promise<void> {
		await this.database.query(
			`update dead_letters l set redriven_at = clock_timestamp(), redrives = l.redrives + 1
			from unnest($1::bigint[], $2::int[]) as r (id, redrives)
			where l.id = r.id and l.redrives = r.redrives`,
			[letters.map(({ id }) => id), letters.map(({ redrives }) => redrives)],
		);
	}

	/** Those not published again that can be, since something was kept of them; counted up to 100,000. */
	async waiting(): Promise<number> {
		const [row] = await this.database.query<{ count: number }>(
			`select count(*) as count from (
				select from dead_letters l where l.redriven_at is null and l.payload <> '' limit $1
			) w`,
			[MOST_COUNTED],
		);
		return row?.count ?? 0;
	}
}

function toLetter(row: LetterRow): KeptLetter {
	return {
		id: row.id,
		subject: row.subject,
		reason: row.reason,
		payload: row.payload,
		receivedAt: row.received_at.getTime(),
		redrivenAt: row.redriven_at?.getTime() ?? null,
		redrives: row.redrives,
	};
}
