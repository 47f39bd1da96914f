import type pg from "pg";
import type { Group } from "#core/experiment";
import type { Event } from "#core/log";

/**
 * The log's rows of an erasure, which are by far most of it, come as lists, those that belong together in one, as PostgreSQL writes
 * JSON. A row each would be twice the work for both sides. Nothing is joined: with hash and merge joins forbidden that would compare
 * every row with every other.
 */

/** What is taken out with decisions, as the database wrote it: its next statement needs none of it to be read. */
export interface TakenText {
	/** The transaction's number, by which its revisions are found. */
	readonly batch: number;
	/** As PostgreSQL writes a list. */
	readonly ids: string;
	readonly definitionIds: readonly number[];
	readonly decisions: string | null;
	readonly states: string | null;
}

/** Decisions that are alike in all but these: what says where their share of the sums is, and what their events counted as. */
export interface TakenDecisions {
	/** Names experiment and version. */
	readonly definitionId: number;
	readonly arm: string;
	readonly group: Group;
	readonly unit: string;
	readonly ids: readonly string[];
	/** Of each, milliseconds since the epoch. */
	readonly decidedAt: readonly number[];
	/** Of each one after the other, in units of the grid. */
	readonly x: Int32Array;
}

/** Decisions that had taught the same. */
export interface TakenStates {
	readonly exposed: 0 | 1;
	readonly reward: number;
	readonly ids: readonly string[];
}

type Lists<Columns> = Omit<Columns, "ids" | "decidedAt" | "x"> & {
	readonly ids: string;
};
type DecisionLists = Lists<TakenDecisions> & {
	readonly decidedAt: string;
	readonly x: string;
};
interface EventLists {
	readonly unit: string;
	readonly type: string;
	readonly decisionIds: string;
	readonly at: string;
	readonly ids: readonly string[];
	readonly values: readonly (number | null)[];
	readonly retracts: readonly (string | null)[];
}

const milliseconds = (column: string): string =>
	`round(date_part('epoch', ${column}) * 1000)::bigint::text`;

/**
 * Takes out the units' decisions before the bound, and what they had taught. By unit, since rows found by a thousand ids cost twice as
 * much; the ids of what they had taught are a subquery, since those that the planner sees are compared with every partition's bounds and
 * statistics, each time.
 */
export async function takeDecisions(
	client: pg.ClientBase,
	units: readonly string[],
	bound: string | null,
): Promise<TakenText> {
	const { rows } = await client.query<TakenText>({
		name: "segue-erase-decisions",
		text: `with d as (
			delete from decisions d where d.unit = any ($1::text[]) and ($2::uuid is null or d.id < $2)
			returning d.id, d.definition_id, d.arm, d.assigned_group, d.unit, d.decided_at, d.x
		), s as (
			delete from decision_states s where s.id = any (array(select d.id from d)) returning s.id, s.exposed, s.reward
		)
		select
			nextval('batch_ids') as batch,
			(select coalesce(array_agg(d.id), '{}') from d)::text as ids,
			(select coalesce(json_agg(distinct d.definition_id), '[]') from d) as "definitionIds",
			(select json_agg(g) from (
				select d.definition_id as "definitionId", d.arm, d.assigned_group as "group", d.unit, string_agg(d.id::text, ',') as ids,
					string_agg(${milliseconds("d.decided_at")}, ',') as "decidedAt", encode(string_agg(d.x, ''), 'hex') as x
				from d group by 1, 2, 3, 4
			) g)::text as decisions,
			(select json_agg(g) from (
				select s.exposed, s.reward, string_agg(s.id::text, ',') as ids from s group by 1, 2
			) g)::text as states`,
		values: [units, bound],
	});
	return rows[0] as TakenText;
}

/** What was taken out with decisions, read. */
export interface Taken {
	readonly decisions: readonly TakenDecisions[];
	readonly states: readonly TakenStates[];
}

export function readTaken({ decisions, states }: TakenText): Taken {
	return {
		decisions: listed<DecisionLists>(decisions).map(
			({ ids, decidedAt, x, ...same }) => ({
				...same,
				ids: ids.split(","),
				decidedAt: decidedAt.split(",").map(Number),
				x: gridUnits(x),
			}),
		),
		states: listed<Lists<TakenStates>>(states).map(({ ids, ...same }) => ({
			...same,
			ids: ids.split(","),
		})),
	};
}

const listed = <Row>(json: string | null): readonly Row[] =>
	json === null ? [] : JSON.parse(json);

/** Little endian, as the row has it and every machine that Segue runs on. */
function gridUnits(hex: string): Int32Array {
	const bytes = new Uint8Array(hex.length / 2);
	Buffer.from(bytes.buffer).write(hex, "hex");
	return new Int32Array(bytes.buffer);
}

const listedEvents = `(
	select json_agg(g)::text from (
		select o.unit, o.type, string_agg(o.decision_id::text, ',') as "decisionIds", string_agg(${milliseconds("o.at")}, ',') as at,
			json_agg(o.event_id) as ids, json_agg(o.value) as values, json_agg(o.retracts) as retracts
		from o group by 1, 2
	) g
)`;

/** The units' events that name decisions before the bound, theirs or not, before any of them goes. */
export async function readEvents(
	client: pg.ClientBase,
	units: readonly string[],
	bound: string | null,
): Promise<readonly Event[]> {
	const { rows } = await client.query<{ events: string | null }>({
		name: "segue-events-to-erase",
		text: `with o as (
			select o.decision_id, o.event_id, o.unit, o.type, o.at, o.value, o.retracts from outcomes o
			where o.unit = any ($1::text[]) and ($2::uuid is null or o.decision_id < $2)
		)
		select ${listedEvents} as events`,
		values: [units, bound],
	});
	return toEvents(rows[0]?.events ?? null);
}

/** How many rows went, and of the events those that are no unit's of those erased, as the database wrote them. */
export interface TakenEvents {
	readonly outcomes: number;
	readonly others: string | null;
	/** Events that named no decision. */
	readonly signals: number;
	/** Answers kept for who asks again. */
	readonly requests: number;
}

const theirEvents = (which: string): string => `gone as (
		delete from outcomes o where ${which}
		returning o.decision_id, o.event_id, o.unit, o.type, o.at, o.value, o.retracts
	), o as (
		select * from gone o where o.unit <> all ($2::text[])
	)`;
const ofTheDecisions = "o.decision_id = any (array(select unnest($1::uuid[])))";

/**
 * Takes out the events that name the decisions, whoever's they are: without their decision they say nothing, and would wait for it for
 * ever. With the last of the decisions also what else there is of the units: events that name decisions of others, or such that have not
 * come, or none, and kept answers. What the units' own said was read before.
 * @param ids as PostgreSQL writes a list
 */
export async function takeEvents(
	client: pg.ClientBase,
	ids: string,
	{
		units,
		isLast,
	}: { readonly units: readonly string[]; readonly isLast: boolean },
): Promise<TakenEvents> {
	const { rows } = await client.query<TakenEvents>({
		name: isLast ? "segue-erase-last-events" : "segue-erase-events",
		text: isLast
			? `with ${theirEvents(`${ofTheDecisions} or o.unit = any ($2::text[])`)}, g as (
					delete from signals g where g.unit = any ($2::text[]) returning 1
				), r as (
					delete from requests r where r.unit = any ($2::text[]) returning 1
				)
				select (select count(*) from gone) as outcomes, ${listedEvents} as others,
					(select count(*) from g) as signals, (select count(*) from r) as requests`
			: `with ${theirEvents(ofTheDecisions)}
				select (select count(*) from gone) as outcomes, ${listedEvents} as others, 0 as signals, 0 as requests`,
		values: [ids, units],
	});
	return rows[0] as TakenEvents;
}

/** Events as a statement listed them. */
export const toEvents = (events: string | null): readonly Event[] =>
	listed<EventLists>(events).flatMap(eventsOf);

function eventsOf({
	unit,
	type,
	ids,
	values,
	retracts,
	...lists
}: EventLists): Event[] {
	const at = lists.at.split(",");
	const decisionIds = lists.decisionIds.split(",");
	return ids.map((id, i) => {
		const value = values[i] ?? null;
		const retracted = retracts[i] ?? null;
		return {
			id,
			decisionId: decisionIds[i] as string,
			unit,
			type,
			at: Number(at[i]),
			...(value !== null && { value }),
			...(retracted !== null && { retracts: retracted }),
		};
	});
}
