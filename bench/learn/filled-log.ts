import type { Database } from "#adapters/postgres";
import type { PlainInserts } from "./plain-inserts.js";

/** Tails of the ids that are filled in begin here, far above those of decisions. */
const FIRST_TAIL = 2 ** 40;
const AT_ONCE = 100_000;

const copies = `create temp table copies on commit drop as
	select d.id as sample, d.unit || '-' || $2 as unit,
		(left(d.id::text, 24) || lpad(to_hex($2::bigint + row_number() over (order by d.id)), 12, '0'))::uuid as id
	from (select * from decisions limit $1) d`;

const fills = [
	`insert into decision_states select c.id, s.experiment, s.version, s.arm, s.exposed, s.reward
	from copies c join decision_states s on s.id = c.sample order by c.id`,
	`insert into decisions select (jsonb_populate_record(d, jsonb_build_object('id', c.id, 'unit', c.unit))).*
	from copies c join decisions d on d.id = c.sample order by c.id`,
	`insert into outcomes select (jsonb_populate_record(o, jsonb_build_object('decision_id', c.id, 'unit', c.unit))).*
	from copies c join outcomes o on o.decision_id = c.sample order by c.id`,
];

/** Copies the log's own rows under new ids and units until it has `rows` decisions; the plain tables then hold the same. */
export async function fillLog(
	database: Database,
	plain: readonly PlainInserts[],
	rows: number,
	say: (words: string) => void,
): Promise<void> {
	let there = await countDecisions(database);
	while (there < rows) {
		const more = Math.min(AT_ONCE, there, rows - there);
		await database.transaction(async (client) => {
			await client.query(copies, [more, FIRST_TAIL + there]);
			for (const fill of fills) await client.query(fill);
		});
		there = await countDecisions(database);
		say(`  ${there.toLocaleString("en-US")} decisions in the log`);
	}
	for (const tables of plain) await tables.takeOver();
	await database.query("vacuum analyze");
	await database.query("checkpoint");
}

async function countDecisions(database: Database): Promise<number> {
	const [row] = await database.query<{ n: number }>(
		"select count(*) as n from decisions",
	);
	return row?.n ?? 0;
}
