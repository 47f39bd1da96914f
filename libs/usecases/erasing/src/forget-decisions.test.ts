import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MemoryBroker, MemorySpool } from "#adapters/memory";
import { PostgresErasure } from "#adapters/postgres";
import { type DecisionRow, encodeDecisions } from "#core/log";
import { RememberedDecisions } from "#usecases/deciding";
import { eventually } from "../../../../test/contract/eventually.js";
import {
	aDecision,
	aDefinition,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import { LedgerOfTest } from "../../../../test/support/ledger.js";
import {
	EraseUnit,
	FollowErasures,
	forgetUnit,
	UnerasedDecisions,
} from "./index.js";

const clock = { now: () => Date.now() };
const boot = randomUUID();
const definition = aDefinition(
	anExperiment({
		key: "remembered",
		arms: [{ key: "a" }],
		policy: { kind: "uniform" },
		reward: { window: "1h", outcomes: [{ type: "play", value: 1 }] },
	}),
);

let log: LedgerOfTest;
let erasure: PostgresErasure;
beforeAll(async () => {
	log = await LedgerOfTest.open();
	erasure = new PostgresErasure(log.database);
});
afterAll(() => log?.close());

let ids = 0;
const decided = (unit: string, at = Date.now() - 1_000) =>
	aDecision(definition, { id: idAt(at, ++ids), arm: "a", unit });

/** Two units in packs of their own and in one together, and a decider that remembers them. */
function decider() {
	const [goes, stays] = [`goes "${++ids}"`, `stays-${ids}`];
	const gone = [decided(goes), decided(goes), decided(goes)] as const;
	const kept = [decided(stays), decided(stays)] as const;
	const remembered = new RememberedDecisions(() => null);
	const remember = (...rows: DecisionRow[]) =>
		remembered.remember(rows, encodeDecisions(rows, { boot, sequence: 1 }));
	remember(gone[0], kept[0], gone[1]);
	remember(gone[2]);
	remember(kept[1]);
	return { goes, gone, kept, remembered, remember };
}

async function expectForgotten({
	gone,
	kept,
	remembered,
}: ReturnType<typeof decider>): Promise<void> {
	for (const { id } of gone) expect(await remembered.find(id)).toBeNull();
	for (const row of kept) expect(await remembered.find(row.id)).toEqual(row);
}

const follow = (remembered: RememberedDecisions) =>
	new FollowErasures(erasure, remembered, clock, (error) => {
		throw error;
	});

test("the decider that is asked to erase a unit has nothing of it in memory when it answers, but what came after", async () => {
	const answering = decider();
	const again = decided(answering.goes, Date.now() + 60_000);
	answering.remember(again);
	const ports = {
		erasure,
		stream: new MemoryBroker().open(),
		spool: new MemorySpool(),
		memory: {
			forget: (unit: string, erasedAt: number) =>
				forgetUnit(answering.remembered, unit, erasedAt),
		},
		clock,
	};
	await new EraseUnit(ports, () => {}, 0).execute(answering.goes);
	await expectForgotten(answering);
	expect(await answering.remembered.find(again.id)).toEqual(again);
});

test("every other decider shows nothing of it at once, and has nothing of it within 2 s", async () => {
	const other = decider();
	const shown = new UnerasedDecisions(other.remembered, erasure);
	const following = follow(other.remembered);
	following.start();
	const [first] = other.gone;
	expect(await shown.find(first.id)).toEqual(first);
	await erasure.erase([other.goes], 10_000);
	const erasedAt = performance.now();
	expect(await shown.find(first.id)).toBeNull();
	expect(await shown.known(first.id)).toBeNull();
	await eventually(() => expectForgotten(other));
	expect(performance.now() - erasedAt).toBeLessThan(2_000);
	await following.stop();
});

test("each erasure is heard of, whatever was heard before, and what a unit does when it returns stays", async () => {
	const other = decider();
	const following = follow(other.remembered);
	await following.poll();
	await erasure.erase([`nobody ${ids}`], 10_000);
	await following.poll();
	for (const { id } of other.gone)
		expect(await other.remembered.find(id)).not.toBeNull();
	const { erasedAt } = await erasure.erase([other.goes], 10_000);
	const again = decided(other.goes, erasedAt + 1);
	other.remember(again);
	await following.poll();
	await expectForgotten(other);
	await following.poll();
	expect(await other.remembered.find(again.id)).toEqual(again);
	await erasure.erase([other.goes], 10_000);
	await following.poll();
	expect(await other.remembered.find(again.id)).toBeNull();
});
