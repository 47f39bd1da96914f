import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Event } from "#core/log";
import {
	aDecision,
	aDefinition,
	anEvent,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import {
	addGains,
	countGuarded,
	type Guarded,
	type GuardedUnit,
	type GuardSums,
	moveSums,
} from "./count-guarded.js";
import { type GuardBook, guardPlan } from "./guard-plan.js";

const definition = aDefinition(
	anExperiment({
		key: "guarded",
		arms: [{ key: "a" }],
		policy: { kind: "linucb" },
		reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
		traffic: { control: 0.5 },
		metrics: {
			define: [
				{
					name: "spent",
					event: "purchase",
					per: "unit",
					count: "value",
					cap: 3,
				},
			],
		},
		guardrails: [
			{ metric: "skip_rate", max: 0.35, action: "alert" },
			{ metric: "spent", min: 1, within: "30s", action: "alert" },
		],
	}),
);
const [book] = guardPlan(definition.experiment) as [GuardBook];

const happened = fc.array(
	fc.record({
		unit: fc.integer({ min: 0, max: 5 }),
		types: fc.array(fc.constantFrom("impression", "skip", "purchase"), {
			maxLength: 4,
		}),
		after: fc.integer({ min: 0, max: 60_000 }),
		value: fc.integer({ min: 0, max: 16 }).map((steps) => steps / 8),
		split: fc.integer({ min: 0, max: 4 }),
	}),
	{ maxLength: 40 },
);
type Some = typeof happened extends fc.Arbitrary<infer T> ? T : never;

function guardedOf(all: Some): (Guarded & { readonly split: number })[] {
	return all.map(({ unit, types, after, value, split }, i) => {
		const side = unit % 2 === 0 ? "policy" : "control";
		const row = aDecision(definition, {
			id: idAt(1_760_000_000_000, i),
			arm: "a",
			unit: `u${unit}`,
			group: side,
		});
		const events: Event[] = types.map((type, k) =>
			anEvent(row, type, {
				id: `${i}-${k}`,
				at: row.decidedAt + after,
				...(type === "purchase" && { value }),
			}),
		);
		return { row, side, before: null, after: events, split };
	});
}

/** Units and sums of a book that is told these, part by part. */
function told(parts: readonly (readonly Guarded[])[]) {
	const units = new Map<string, GuardedUnit>();
	const sums = new Map<string, GuardSums>();
	for (const part of parts) {
		const gains = countGuarded(definition, book, part);
		const made = addGains(book.metrics, [...units.values()], gains);
		for (const unit of made.units) units.set(`${unit.side} ${unit.unit}`, unit);
		addTo(sums, made.sums);
	}
	return { units, sums };
}

function addTo(sums: Map<string, GuardSums>, changes: readonly GuardSums[]) {
	for (const change of changes) {
		const key = `${change.side} ${change.column}`;
		const old = sums.get(key);
		const plus = (name: "units" | "n" | "c" | "nn" | "nc" | "cc") =>
			change[name] + (old?.[name] ?? 0n);
		sums.set(key, {
			...change,
			units: plus("units"),
			n: plus("n"),
			c: plus("c"),
			nn: plus("nn"),
			nc: plus("nc"),
			cc: plus("cc"),
		});
	}
}

const left = (sums: ReadonlyMap<string, GuardSums>) =>
	[...sums].filter(([, { units, n, c, nn, nc, cc }]) =>
		[units, n, c, nn, nc, cc].some((value) => value !== 0n),
	);

describe("what guardrails count", () => {
	it("is the same, to the bit, when some of a decision's events come only after it was counted", () => {
		fc.assert(
			fc.property(happened, (all) => {
				const guarded = guardedOf(all);
				const some = guarded.map(({ split, ...one }) => ({
					...one,
					after: (one.after as readonly Event[]).slice(0, split),
				}));
				const corrected = guarded.map((one, i) => ({
					...one,
					before: some[i]?.after ?? null,
				}));
				const late = told([some, corrected]);
				const once = told([guarded]);
				expect(late.units).toEqual(once.units);
				expect(new Map(left(late.sums))).toEqual(new Map(left(once.sums)));
			}),
		);
	});

	it("is nothing once all units are taken out", () => {
		fc.assert(
			fc.property(happened, (all) => {
				const { units, sums } = told([guardedOf(all)]);
				const moves = [...units.values()].map((before) => ({
					before,
					after: null,
				}));
				addTo(sums, moveSums(book.metrics, moves));
				expect(left(sums)).toEqual([]);
			}),
		);
	});

	it("takes no notice of what came after the span that it waits for, not even as proof that it was shown", () => {
		const guarded = guardedOf(
			[30_001, 30_000].map((after, unit) => ({
				unit,
				types: ["impression" as const],
				after,
				value: 0,
				split: 0,
			})),
		);
		const { units } = told([guarded]);
		expect([...units.values()].map(({ n }) => n[0])).toEqual([0, 1]);
	});

	it("cuts a unit's total at its cap, however it came together", () => {
		const spent = (value: number) => ({
			unit: 0,
			types: ["purchase" as const],
			after: 1,
			value,
			split: 0,
		});
		const { sums } = told([
			guardedOf([spent(2)]),
			guardedOf([spent(2), spent(2)]).slice(1),
		]);
		expect(sums.get("policy 1")).toMatchObject({
			units: 1n,
			n: 1n,
			c: BigInt(3 * 4_096),
		});
	});
});
