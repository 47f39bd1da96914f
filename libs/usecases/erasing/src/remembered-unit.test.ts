import { beforeEach, expect, test } from "vitest";
import { MemoryBroker, MemoryErasure, MemorySpool } from "#adapters/memory";
import { type DecisionRow, encodeDecisions } from "#core/log";
import { RememberedDecisions } from "#usecases/deciding";
import {
	aDecision,
	aDefinition,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import { EraseUnit, takeOut, UnerasedDecisions } from "./index.js";

const BOOT = "6f1d0f3e-9f0a-4f6e-8d7b-000000000001";
const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 0, 5, 12);
const clock = { now: () => NOW };
const definition = aDefinition(
	anExperiment({
		key: "remembered",
		arms: [{ key: "a" }],
		policy: { kind: "uniform" },
		reward: { window: "1h", outcomes: [{ type: "play", value: 1 }] },
	}),
);
const row = (unit: string, i: number, at = NOW - 1_000) =>
	aDecision(definition, { id: idAt(at, i), arm: "a", unit });

let erasure: MemoryErasure;
beforeEach(() => {
	erasure = new MemoryErasure(clock);
});

/** What a decider remembers, and what it finds of it for those who ask. */
function decider(...packs: (readonly DecisionRow[])[]) {
	const remembered = new RememberedDecisions(() => null);
	for (const rows of packs)
		remembered.remember(
			rows,
			encodeDecisions(rows, { boot: BOOT, sequence: 1 }),
		);
	return { remembered, found: new UnerasedDecisions(remembered, erasure, 20) };
}

function eraseAt({ remembered }: ReturnType<typeof decider>, unit: string) {
	const forget = (forgotten: string) =>
		remembered.forgetUnit((pack) => takeOut(pack, new Set([forgotten])));
	const ports = {
		erasure,
		stream: new MemoryBroker().open(),
		spool: new MemorySpool(),
		memory: { forget },
		clock,
	};
	return new EraseUnit(ports, () => {}, 0).execute(unit);
}

const goes = [row("ann", 1), row("ann", 3)] as const;
const stays = [row("bob", 2), row("bob", 4)] as const;
const packs = [[goes[0], stays[0]], [goes[1]], [stays[1]]];
const databaseAway = () => {
	erasure.erasedAt = async () => {
		throw new Error("The database is away.");
	};
};

test("the decider that answered for the erasure has nothing of the unit in memory, whatever the database does then", async () => {
	const answering = decider(...packs);
	expect((await answering.found.known(goes[0].id))?.unit).toBe("ann");
	await eraseAt(answering, "ann");
	databaseAway();
	for (const { id } of goes)
		expect(await answering.remembered.find(id)).toBeNull();
	for (const kept of stays)
		expect(await answering.found.find(kept.id)).toEqual(kept);
});

test("every other decider shows nothing of it from then on while the database answers, and has nothing of it an hour later", async () => {
	const other = decider(...packs, [row("bob", 9, NOW + 1)]);
	await eraseAt(decider(), "ann");
	for (const { id } of goes) {
		expect(await other.found.known(id)).toBeNull();
		expect(await other.found.find(id)).toBeNull();
	}
	for (const kept of stays)
		expect(await other.found.find(kept.id)).toEqual(kept);
	other.remembered.forgetBefore(NOW - HOUR);
	expect(await other.remembered.find(goes[1].id)).not.toBeNull();
	other.remembered.forgetBefore(NOW);
	for (const { id } of [...goes, ...stays])
		expect(await other.remembered.find(id)).toBeNull();
	expect(await other.remembered.find(idAt(NOW + 1, 9))).not.toBeNull();
});

test("a unit that returns is shown what it is decided after that", async () => {
	const answering = decider(...packs);
	await eraseAt(answering, "ann");
	const again = row("ann", 5, NOW + 5);
	answering.remembered.remember(
		[again],
		encodeDecisions([again], { boot: BOOT, sequence: 2 }),
	);
	expect(await answering.found.find(again.id)).toEqual(again);
});
