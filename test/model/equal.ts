import { PostgresDecisionReads, PostgresLedgerReads } from "#adapters/postgres";
import { verdictOfRefusal } from "#core/experiment";
import { UNITS } from "./commands.js";
import { foldedSums, storedSums } from "./sums.js";
import type { World } from "./world.js";

const REFUSED = ["conflict", "future", "malformed"];
/** Verdicts of which the product may tell the experiment or not, by what had come before. */
const LUMPED = [...REFUSED, "duplicate", "erased"];

export type Counts = ReadonlyMap<string, number>;

/** Counts of what belongs to no experiment, of all runs so far. */
export async function countsOfNone(world: World): Promise<Counts> {
	const reads = new PostgresLedgerReads(world.ground.database);
	const rows = await reads.counts("-");
	return new Map(
		rows.map(({ kind, verdict, count }) => [`${kind} ${verdict}`, count]),
	);
}

/** What the product has, and what the model says it must have; both plain values, to be compared as wholes. */
export async function bothSides(world: World, before: Counts) {
	const [sums, counts, rows, decisions] = await Promise.all([
		storedSums(world.ground.database, world.key),
		storedCounts(world, before),
		storedRows(world),
		storedDecisions(world),
	]);
	const { model } = world;
	const expectedCounts = sortedEntries(model.counts());
	return {
		stored: { sums, counts: sortedEntries(counts), ...rows, decisions },
		expected: {
			sums: foldedSums(model),
			counts: expectedCounts,
			...expectedRows(world),
			decisions: expectedDecisions(world),
		},
		deliveries: {
			counted: [...counts.values()].reduce((sum, count) => sum + count, 0),
			made: model.deliveries,
		},
	};
}

const sortedEntries = (counts: Counts) =>
	Object.fromEntries([...counts].filter(([, n]) => n !== 0).sort());

async function storedCounts(world: World, before: Counts): Promise<Counts> {
	const reads = new PostgresLedgerReads(world.ground.database);
	const counts = new Map<string, number>();
	for (const { kind, verdict, count } of await reads.counts(world.key)) {
		const whose = LUMPED.includes(verdict) ? "" : "its ";
		counts.set(`${whose}${kind} ${verdict}`, count);
	}
	const now = await countsOfNone(world);
	for (const key of new Set([...before.keys(), ...now.keys()])) {
		const moved = (now.get(key) ?? 0) - (before.get(key) ?? 0);
		counts.set(key, (counts.get(key) ?? 0) + moved);
	}
	return counts;
}

async function storedRows(world: World) {
	const { database } = world.ground;
	const units = Array.from({ length: UNITS }, (_, i) => world.unit(i));
	const ids = [...world.decided.map(({ id }) => id), world.orphanId];
	const [outcomes, signals, letters, states, windows] = await Promise.all([
		database.query<{ name: string }>(
			"select o.decision_id || ' ' || o.event_id as name from outcomes o where o.unit = any ($1) and o.event_id <> ''",
			[units],
		),
		database.query<{ name: string }>(
			"select g.unit || ' ' || g.event_id as name from signals g where g.unit = any ($1)",
			[units],
		),
		database.query<{ name: string; reason: string }>(
			"select l.position || ' ' || l.item as name, l.reason from dead_letters l where l.position >= $1 and l.position < $2",
			[...world.positions],
		),
		database.query<{ id: string }>(
			"select s.id from decision_states s where s.id = any ($1)",
			[ids],
		),
		database.query<{ id: string }>(
			"select w.decision_id as id from open_windows w where w.decision_id = any ($1)",
			[ids],
		),
	]);
	return {
		outcomes: outcomes.map(({ name }) => name).sort(),
		signals: signals.map(({ name }) => name).sort(),
		letters: letters
			.map(({ name, reason }) => `${name} ${verdictOfRefusal(reason)}`)
			.sort(),
		states: states.map(({ id }) => id).sort(),
		windows: windows.map(({ id }) => id).sort(),
	};
}

function expectedRows({ model }: World) {
	return {
		outcomes: [...model.events.keys()].sort(),
		signals: [...model.signals.values()]
			.map(({ unit, id }) => `${unit} ${id}`)
			.sort(),
		letters: [...model.letters]
			.map(([source, { verdict }]) => `${source} ${verdict}`)
			.sort(),
		states: [
			...new Set([
				...model.decisions.keys(),
				...[...model.events.values()].map(
					({ decisionId }) => decisionId as string,
				),
			]),
		].sort(),
		windows: model
			.openWindows()
			.map(({ id }) => id)
			.sort(),
	};
}

interface Shown {
	readonly exposed: boolean;
	readonly reward: number;
	readonly events: { readonly [id: string]: string };
}

async function storedDecisions({ ground, decided, orphanId }: World) {
	const reads = new PostgresDecisionReads(ground.database, ground.store);
	const all: { [id: string]: Shown } = {};
	for (const id of [...decided.map((one) => one.id), orphanId]) {
		const found = await reads.find(id);
		if (found === null) continue;
		const events = Object.fromEntries(
			found.events
				.filter(({ verdict }) => !REFUSED.includes(verdict))
				.map((event) => [event.id, event.verdict] as const)
				.sort(),
		);
		if (found.row === null && Object.keys(events).length === 0) continue;
		const { exposed, reward } =
			found.row === null || found.learned === null
				? { exposed: false, reward: 0 }
				: found.learned;
		all[id] = { exposed, reward, events };
	}
	return all;
}

function expectedDecisions({ model, decided, orphanId }: World) {
	const all: { [id: string]: Shown } = {};
	for (const id of [...decided.map((one) => one.id), orphanId]) {
		const decision = model.decisions.get(id);
		if (decision) {
			const { exposed, reward, verdicts } = model.stateOf(decision);
			const events = Object.fromEntries([...verdicts].sort());
			all[id] = { exposed: exposed === 1, reward, events };
			continue;
		}
		const waiting = model
			.eventsOf(id)
			.map((event) => [event.id, "unknown decision (waiting)"] as const);
		if (waiting.length > 0)
			all[id] = {
				exposed: false,
				reward: 0,
				events: Object.fromEntries(waiting.sort()),
			};
	}
	return all;
}
