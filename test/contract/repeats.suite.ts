import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DecisionRow } from "#core/log";
import type {
	RepeatableAsk,
	Repeats,
	StandingDecision,
} from "#usecases/deciding";
import {
	aDecision,
	aDefinition,
	anExperiment,
	idAt,
} from "../support/builders.js";

export interface RepeatsHarness {
	/** As many deciders as asked for, each by its own way to the same keys. */
	readonly deciders: readonly [Repeats, Repeats];
	/** The log's database has the decision from now on. */
	store(row: DecisionRow): Promise<void>;
	/** Lets time go by. */
	pass(ms: number): Promise<void>;
	stop(): Promise<void>;
}

const NOW = Date.now();
const KEEP_MS = 10_000;
const experiment = anExperiment({
	key: "repeats",
	arms: [{ key: "a", payload: { text: "A" } }, { key: "b" }],
	context: { features: [{ name: "v", from: "request", kind: "number" }] },
	policy: { kind: "linucb" },
	reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
});
const definition = aDefinition(experiment);

let made = 0;
function aRow(arm = "a"): DecisionRow {
	made += 1;
	return aDecision(definition, {
		id: idAt(NOW, made),
		arm,
		context: { v: 0.5 },
		means: Float64Array.of(0.25, -0.5),
		propensities: Float64Array.of(0.1, 0.9),
		propensity: 0.1,
	});
}

function anAsk(
	key: string,
	row: DecisionRow | null,
	more: Partial<RepeatableAsk> = {},
): RepeatableAsk {
	return {
		experiment: "repeats",
		kind: "request",
		key,
		unit: "unit-1",
		requestHash: "ab".repeat(32),
		spanMs: 3_600_000,
		replaces: null,
		decision:
			row === null
				? null
				: {
						row,
						answer: {
							decisionId: row.id,
							experiment: "repeats",
							version: 1,
							arm: row.arm,
							payload: { text: "A — “quoted”, {braces}\\n" },
							propensity: row.propensity,
							group: "policy",
							revision: 3,
							missing: [],
							ignored: ["email"],
							degraded: [],
						},
					},
		...more,
	};
}

const idOf = (standing: StandingDecision | null) =>
	standing?.answer.decisionId ?? null;

/** What every adapter of the port Repeats must do. */
export function repeatsSuite(
	name: string,
	start: () => Promise<RepeatsHarness>,
): void {
	describe(`${name} as Repeats`, () => {
		let harness: RepeatsHarness;
		const keep = (ask: RepeatableAsk, decider: 0 | 1 = 0) =>
			harness.deciders[decider].keep(ask, KEEP_MS);
		beforeAll(async () => {
			harness = await start();
		});
		afterAll(() => harness.stop());

		test("the first decision under a key stands, and every later ask gets it whole, on another decider too", async () => {
			const row = aRow();
			const first = anAsk("whole", row);
			expect(await keep(first)).toBeNull();
			for (const decider of [0, 1] as const) {
				const standing = await keep(anAsk("whole", aRow("b")), decider);
				expect(JSON.stringify(standing?.answer)).toBe(
					JSON.stringify(first.decision?.answer),
				);
				expect(standing?.row).toEqual(row);
				expect(standing?.requestHash).toBe("ab".repeat(32));
			}
		});

		test("an ask that is sent again, since its answer was lost, finds its own decision kept", async () => {
			const ask = anAsk("lost", aRow());
			expect(await keep(ask)).toBeNull();
			expect(await keep(ask)).toBeNull();
		});

		test("keys differ by experiment, kind and text", async () => {
			for (const ask of [
				anAsk("key", aRow()),
				anAsk("key ", aRow()),
				anAsk("key", aRow(), { kind: "unit", requestHash: null }),
				anAsk("key", aRow(), { kind: "session", requestHash: null }),
				anAsk("key", aRow(), { experiment: "other" }),
			])
				expect(await keep(ask)).toBeNull();
		});

		test("looking only finds what stands and keeps nothing", async () => {
			expect(await keep(anAsk("look", null))).toBeNull();
			const row = aRow();
			expect(await keep(anAsk("look", row))).toBeNull();
			expect(idOf(await keep(anAsk("look", null)))).toBe(row.id);
		});

		test("of forty asks at once on two deciders one decision is kept and all others get it", async () => {
			for (let round = 0; round < 5; round++) {
				const asks = Array.from({ length: 40 }, () =>
					anAsk(`at once ${round}`, aRow()),
				);
				const results = await Promise.all(
					asks.map((ask, i) => keep(ask, (i % 2) as 0 | 1)),
				);
				const own = asks.filter((_, i) => results[i] === null);
				expect(own).toHaveLength(1);
				const ids = new Set(results.filter((one) => one !== null).map(idOf));
				expect([...ids]).toEqual([own[0]?.decision?.answer.decisionId]);
			}
		});

		test("many keys at once, each asked for on both deciders in another order, are each kept once", async () => {
			const keys = Array.from({ length: 200 }, (_, i) => `many ${i}`);
			const [here, there] = await Promise.all([
				Promise.all(keys.map((key) => keep(anAsk(key, aRow()), 0))),
				Promise.all(
					[...keys].reverse().map((key) => keep(anAsk(key, aRow()), 1)),
				),
			]);
			there.reverse();
			keys.forEach((_, i) => {
				expect([here[i], there[i]].filter((one) => one === null)).toHaveLength(
					1,
				);
			});
		});

		test("the row comes along until the log's database has it", async () => {
			const row = aRow();
			await keep(anAsk("stored", row));
			expect((await keep(anAsk("stored", aRow()), 1))?.row).toEqual(row);
			await harness.store(row);
			const standing = await keep(anAsk("stored", aRow()), 1);
			expect(idOf(standing)).toBe(row.id);
			expect(standing?.row).toBeNull();
		});

		test("a decision that is named to be replaced gives way, once: of twenty at once one takes its place and the others get that", async () => {
			const old = aRow();
			await keep(anAsk("replaced", old));
			const asks = Array.from({ length: 20 }, () =>
				anAsk("replaced", aRow("b"), { replaces: old.id }),
			);
			const results = await Promise.all(
				asks.map((ask, i) => keep(ask, (i % 2) as 0 | 1)),
			);
			const own = asks.filter((_, i) => results[i] === null);
			expect(own).toHaveLength(1);
			const winner = own[0]?.decision?.answer.decisionId;
			for (const result of results)
				if (result !== null) expect(idOf(result)).toBe(winner);
			expect(idOf(await keep(anAsk("replaced", aRow())))).toBe(winner);
		});

		test("a decision that no longer stands is not replaced a second time", async () => {
			const old = aRow();
			const next = aRow();
			await keep(anAsk("twice", old));
			await keep(anAsk("twice", next, { replaces: old.id }));
			const late = anAsk("twice", aRow(), { replaces: old.id });
			expect(idOf(await keep(late, 1))).toBe(next.id);
		});

		test("after its time a decision stands no longer", async () => {
			const short = anAsk("expired", aRow(), { spanMs: 40 });
			await keep(short);
			await harness.pass(60);
			expect(await keep(anAsk("expired", null))).toBeNull();
			const next = anAsk("expired", aRow());
			expect(await keep(next, 1)).toBeNull();
			expect(idOf(await keep(anAsk("expired", aRow())))).toBe(
				next.decision?.answer.decisionId,
			);
		});

		test("a decision that the log has already is kept without its row", async () => {
			const ask = anAsk("answer only", aRow());
			const decision = { answer: ask.decision!.answer, row: null };
			expect(await keep({ ...ask, decision })).toBeNull();
			const standing = await keep(anAsk("answer only", aRow()));
			expect(standing?.answer).toEqual(decision.answer);
			expect(standing?.row).toBeNull();
		});
	});
}
