import { describe, expect, it } from "vitest";
import { MemoryDecisionReads } from "#adapters/memory";
import { type DecisionRow, encodeDecisions } from "#core/log";
import { fail, SegueError } from "#usecases/errors";
import {
	FindDecision,
	RememberedDecisions,
	type StoredEvent,
} from "../src/index.js";

const ID = "0198f3a0-0000-7000-8000-000000000001";
const OTHER = "0198f3a0-0000-7000-8000-000000000002";

function rowOf(id: string): DecisionRow {
	return {
		id,
		experiment: "e",
		version: 1,
		definitionId: 1,
		unit: "u",
		session: null,
		group: "policy",
		arm: "a",
		propensity: 1,
		distribution: "policy",
		context: {},
		x: Float64Array.of(1),
		eligible: [0],
		excluded: {},
		means: Float64Array.of(0),
		propensities: Float64Array.of(1),
		policyPropensities: null,
		missing: [],
		degraded: [],
		decidedAt: 0,
		origin: "server",
		parent: null,
		traceId: null,
		requestId: null,
		consent: null,
		privacyVersion: null,
		extra: null,
		revision: 0,
		referenceBucket: 0,
		coreVersion: "test",
	};
}
const play: StoredEvent = {
	id: "p1",
	type: "play",
	unit: "u",
	at: 5,
	decisionId: ID,
	verdict: "waiting",
	storedAt: 6,
};

function room(most?: number) {
	const reads = new MemoryDecisionReads();
	const waiting = new Map<string, DecisionRow>();
	const recent = new RememberedDecisions(
		(id) => waiting.get(id) ?? null,
		undefined,
		most,
	);
	return { reads, waiting, recent, find: new FindDecision(reads, recent) };
}

function remember(recent: RememberedDecisions, ...ids: readonly string[]) {
	const rows = ids.map(rowOf);
	recent.remember(rows, encodeDecisions(rows, { boot: OTHER, sequence: 1 }));
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
	const error = await promise.catch((reason: unknown) => reason);
	expect(error).toBeInstanceOf(SegueError);
	return (error as SegueError).code;
}

describe("finding a decision", () => {
	it("gives what the database has of it", async () => {
		const { reads, find } = room();
		const learned = { exposed: true, reward: 1, revision: 3 };
		const stored = { row: rowOf(ID), learned, events: [play] };
		reads.stored.set(ID, stored);
		expect(await find.execute(ID)).toEqual(stored);
	});

	it("gives one just answered before the database has it, with events that came first", async () => {
		const { reads, recent, find } = room();
		remember(recent, ID);
		expect(await find.execute(ID)).toEqual({
			row: rowOf(ID),
			learned: null,
			events: [],
		});
		reads.stored.set(ID, { row: null, events: [play] });
		expect((await find.execute(ID)).events).toEqual([play]);
	});

	it("gives one that waits to be published", async () => {
		const { waiting, find } = room();
		waiting.set(ID, rowOf(ID));
		expect((await find.execute(ID)).row?.id).toBe(ID);
	});

	it("gives a remembered one while the database is away, else fails as the database did", async () => {
		const { reads, recent, find } = room();
		remember(recent, ID);
		reads.away = true;
		expect((await find.execute(ID)).row?.id).toBe(ID);
		await expect(find.execute(OTHER)).rejects.toThrow("The database is away.");
	});

	it("gives a remembered one without its events while the database does not answer, else says that it is away", async () => {
		const { recent } = room();
		remember(recent, ID);
		const frozen = { find: () => new Promise<never>(() => {}) };
		const known = { row: rowOf(ID), learned: null, events: [] };
		const patient = new FindDecision(frozen, recent, 1, 600_000);
		expect(await patient.execute(ID)).toEqual(known);
		const find = new FindDecision(frozen, recent, 1, 1);
		expect(await codeOf(find.execute(OTHER))).toBe("database-away");
	});

	it("waits longer than that for a database which alone can tell", async () => {
		const { recent } = room();
		const stored = { row: rowOf(ID), learned: null, events: [play] };
		const slow = {
			find: () =>
				new Promise<typeof stored>((resolve) =>
					setTimeout(() => resolve(stored), 20),
				),
		};
		const find = new FindDecision(slow, recent, 1, 30_000);
		expect(await find.execute(ID)).toEqual(stored);
	});

	it("does not say that there is none where the stream cannot be searched", async () => {
		const { reads } = room();
		const search = async () => {
			throw fail("overloaded", "It cannot be told now.");
		};
		const recent = new RememberedDecisions(() => null, search);
		const find = new FindDecision(reads, recent);
		expect(await codeOf(find.execute(ID))).toBe("overloaded");
	});

	it("gives one that was learned, and dropped from the stream, while it was searched there", async () => {
		const { reads } = room();
		const learned = { row: rowOf(ID), learned: null, events: [play] };
		const recent = new RememberedDecisions(
			() => null,
			async () => {
				reads.stored.set(ID, learned);
				return null;
			},
		);
		expect(await new FindDecision(reads, recent).execute(ID)).toEqual(learned);
	});

	it("tells the events alone that came for a decision which nobody has", async () => {
		const { reads, recent, find } = room();
		const alone = { row: null, events: [play] };
		reads.stored.set(ID, alone);
		expect(await find.execute(ID)).toEqual(alone);
		remember(recent, ID);
		expect(await find.execute(ID)).toMatchObject({
			row: { id: ID },
			events: [play],
		});
	});

	it("knows no decision that nobody has, or whose id is no UUIDv7", async () => {
		const { find } = room();
		expect(await codeOf(find.execute(ID))).toBe("unknown-decision");
		for (const id of ["", "7", ID.toUpperCase(), ID.replace("-7", "-4")])
			expect(await codeOf(find.execute(id))).toBe("unknown-decision");
	});

	it("remembers the newest decisions only", async () => {
		const { recent } = room(1);
		remember(recent, ID);
		remember(recent, OTHER);
		expect(await recent.find(ID)).toBeNull();
		expect((await recent.find(OTHER))?.id).toBe(OTHER);
	});

	it("gives the right one of a pack, and forgets whole packs, the oldest first, however many came", async () => {
		const { recent } = room(3);
		const ids = Array.from({ length: 10 }, (_, i) =>
			ID.slice(0, -1).concat(String(i)),
		);
		for (let i = 0; i < ids.length; i += 2)
			remember(recent, ...ids.slice(i, i + 2));
		for (const id of ids.slice(0, 6)) expect(await recent.find(id)).toBeNull();
		for (const id of ids.slice(6))
			expect(await recent.find(id)).toEqual(rowOf(id));
	});

	it("takes an erased unit out of those alone that are not forgotten meanwhile, whose room is used again", async () => {
		const { recent } = room(2);
		for (const id of [ID, OTHER]) remember(recent, id);
		let looked = 0;
		const mayHold = () => {
			looked += 1;
			for (let more = 0; more < 3; more++) remember(recent, ID);
			return false;
		};
		await recent.forget(mayHold, () => true);
		expect(looked).toBe(1);
	});
});
