import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DecisionRow } from "#core/log";
import type {
	RepeatableAsk,
	Repeats,
	StandingDecision,
	StickyKey,
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

const HASH = "ab".repeat(32);
const HOUR_MS = 3_600_000;

/** Under a requestId; of a row of null: looking only. */
function anAsk(
	key: string,
	row: DecisionRow | null,
	more: Partial<RepeatableAsk> = {},
): RepeatableAsk {
	return {
		experiment: "repeats",
		unit: "unit-1",
		request: { key, hash: HASH, spanMs: HOUR_MS },
		sticky: null,
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

/** The key of a unit, whose decision stands while its arm is one of these. */
function aUnit(
	key: string,
	arms = ["a", "b"],
	kind: StickyKey["kind"] = "unit",
) {
	const payloadAt = (place: number) => ({ z: 1, arm: arms[place]!, a: [0.1] });
	return { kind, key, spanMs: HOUR_MS, arms, payloadAt };
}

/** Under the key of a unit alone. */
const aUnitsAsk = (key: string, row: DecisionRow | null, arms?: string[]) =>
	anAsk("", row, { request: null, sticky: aUnit(key, arms) });

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
				expect(standing?.requestHash).toBe(HASH);
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
				aUnitsAsk("key", aRow()),
				anAsk("", aRow(), {
					request: null,
					sticky: aUnit("key", ["a"], "session"),
				}),
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

		test("under a unit's key a decision whose arm may not stand gives way, once: of twenty at once one takes its place and the others get that", async () => {
			const old = aRow();
			await keep(aUnitsAsk("replaced", old));
			const asks = Array.from({ length: 20 }, () =>
				aUnitsAsk("replaced", aRow("b"), ["b"]),
			);
			const results = await Promise.all(
				asks.map((ask, i) => keep(ask, (i % 2) as 0 | 1)),
			);
			const own = asks.filter((_, i) => results[i] === null);
			expect(own).toHaveLength(1);
			const winner = own[0]?.decision?.answer.decisionId;
			for (const result of results)
				if (result !== null) expect(idOf(result)).toBe(winner);
			expect(idOf(await keep(aUnitsAsk("replaced", aRow())))).toBe(winner);
		});

		test("under a requestId a decision stands whatever has become of its arm", async () => {
			const row = aRow();
			await keep(anAsk("arm gone", row));
			const both = { sticky: aUnit("arm gone", ["b"]) };
			const standing = await keep(anAsk("arm gone", aRow("b"), both), 1);
			expect(standing).toMatchObject({ under: "request", requestHash: HASH });
			expect(idOf(standing)).toBe(row.id);
			expect(await keep(aUnitsAsk("arm gone", null))).toBeNull();
		});

		test("a decision drawn for a requestId and a unit stands under both, its explanation under the requestId alone", async () => {
			const row = aRow();
			const ask = anAsk("both", row, { sticky: aUnit("both") });
			const explanation = { x: [1] } as never;
			const { answer } = ask.decision!;
			const explained = { answer: { ...answer, explanation }, row };
			expect(await keep({ ...ask, decision: explained })).toBeNull();
			expect(await keep({ ...ask, decision: explained })).toBeNull();
			const named = await keep(anAsk("both", aRow()), 1);
			expect(JSON.stringify(named?.answer)).toBe(
				JSON.stringify(explained.answer),
			);
			const stuck = await keep(aUnitsAsk("both", aRow()), 1);
			expect(stuck).toMatchObject({ under: "unit", requestHash: null });
			expect(JSON.stringify(stuck?.answer)).toBe(JSON.stringify(answer));
			expect([named?.row, stuck?.row]).toEqual([row, row]);
		});

		test("a decision that stands for a unit is kept under a new requestId as it goes out again, and the drawn one nowhere", async () => {
			const row = aRow();
			const first = aUnitsAsk("again", row);
			await keep(first);
			const sticky = aUnit("again");
			const stuck = await keep(anAsk("again", aRow("b"), { sticky }), 1);
			expect(stuck).toMatchObject({ under: "unit", row });
			expect(stuck?.answer).toEqual(first.decision?.answer);
			// A retry for which the arm may not stand any more.
			const other = { sticky: aUnit("again", ["b"]) };
			const named = await keep(anAsk("again", aRow("b"), other));
			expect(named).toMatchObject({ under: "request", requestHash: HASH, row });
			const payload = sticky.payloadAt(0);
			expect(JSON.stringify(named?.answer)).toBe(
				JSON.stringify({ ...first.decision?.answer, payload, repeated: true }),
			);
			expect(idOf(await keep(aUnitsAsk("again", null)))).toBe(row.id);
			await harness.store(row);
			expect((await keep(anAsk("again", null)))?.row).toBeNull();
		});

		test("what arms have for a request is not worked out where no requestId keeps it", async () => {
			const payloadAt = () => {
				throw new Error("worked out");
			};
			const sticky = { ...aUnit("no payload"), payloadAt };
			const row = aRow();
			const first = anAsk("", row, { request: null, sticky });
			expect(await keep(first)).toBeNull();
			const next = anAsk("", aRow("b"), { request: null, sticky });
			expect(idOf(await keep(next, 1))).toBe(row.id);
		});

		test("whatever a client named, its decision stands, also when it goes out again", async () => {
			const row = aRow();
			const first = aUnitsAsk("named anything", row);
			const ignored = ["nul \u0000", "half \ud800", '"arm":"z"', "__proto__"];
			const answer = { ...first.decision!.answer, ignored };
			expect(await keep({ ...first, decision: { row, answer } })).toBeNull();
			const sticky = aUnit("named anything");
			const ask = anAsk("named anything", aRow("b"), { sticky });
			expect((await keep(ask))?.answer).toEqual(answer);
			expect(await keep(ask, 1)).toMatchObject({
				under: "request",
				answer: { decisionId: row.id, ignored, repeated: true },
			});
			const next = aUnitsAsk("named anything", aRow("b"), ["b"]);
			expect(await keep(next)).toBeNull();
		});

		test("of forty asks at once on two deciders for one unit, two to each of twenty requestIds, one decision stands under all keys", async () => {
			for (let round = 0; round < 5; round++) {
				const key = `both at once ${round}`;
				const asks = Array.from({ length: 40 }, (_, i) =>
					anAsk(`${key} ${i % 20}`, aRow(), { sticky: aUnit(key) }),
				);
				const results = await Promise.all(
					asks.map((ask, i) => keep(ask, i < 20 ? 0 : 1)),
				);
				const own = asks.filter((_, i) => results[i] === null);
				expect(own).toHaveLength(1);
				const winner = own[0]?.decision?.answer.decisionId;
				for (const result of results)
					if (result !== null) expect(idOf(result)).toBe(winner);
				const later = [
					await keep(aUnitsAsk(key, null)),
					...(await Promise.all(
						asks.map((_, i) => keep(anAsk(`${key} ${i % 20}`, null))),
					)),
				];
				expect(new Set(later.map(idOf))).toEqual(new Set([winner]));
			}
		});

		test("of twenty different requests at once under one requestId, each for a unit of its own, one is kept and the others leave nothing standing", async () => {
			const asks = Array.from({ length: 20 }, (_, i) =>
				anAsk("refused", aRow(), {
					request: {
						key: "refused",
						hash: i.toString(16).padStart(64, "0"),
						spanMs: HOUR_MS,
					},
					sticky: aUnit(`refused ${i}`),
				}),
			);
			const results = await Promise.all(
				asks.map((ask, i) => keep(ask, (i % 2) as 0 | 1)),
			);
			const own = results.indexOf(null);
			const { hash } = asks[own]!.request!;
			const units = await Promise.all(
				asks.map((_, i) => keep(aUnitsAsk(`refused ${i}`, null))),
			);
			for (const [i, result] of results.entries()) {
				if (i === own) continue;
				expect(result).toMatchObject({ under: "request", requestHash: hash });
				expect(units[i]).toBeNull();
			}
			expect(idOf(units[own]!)).toBe(asks[own]?.decision?.answer.decisionId);
		});

		test("many units and requestIds at once, paired otherwise on each decider, do not wait for each other in a circle", async () => {
			const many = 200;
			const ask = (request: number, unit: number) =>
				anAsk(`pair ${request}`, aRow(), { sticky: aUnit(`pair ${unit}`) });
			const asks = [
				...Array.from({ length: many }, (_, i) => ask(i, i)),
				...Array.from({ length: many }, (_, i) =>
					ask(many - 1 - i, (i * 7) % many),
				),
			];
			const results = await Promise.all(
				asks.map((one, i) => keep(one, i < many ? 0 : 1)),
			);
			const places = Array.from({ length: many }, (_, i) => i);
			const requests = await Promise.all(
				places.map((i) => keep(anAsk(`pair ${i}`, null))),
			);
			const units = await Promise.all(
				places.map((i) => keep(aUnitsAsk(`pair ${i}`, null))),
			);
			expect(requests.every((one) => one !== null)).toBe(true);
			const own = asks.filter((_, i) => results[i] === null);
			const ids = own.map((one) => one.decision?.answer.decisionId);
			const standing = units.filter((one) => one !== null);
			expect(standing.map(idOf).sort()).toEqual(ids.sort());
			for (const one of requests) expect(ids).toContain(idOf(one));
		});

		test("after its time a decision stands no longer", async () => {
			const short = anAsk("expired", aRow());
			await keep({ ...short, request: { ...short.request!, spanMs: 40 } });
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
