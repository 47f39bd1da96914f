import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileEncoder } from "#core/context";
import type { ContextSchema, JsonObject } from "#core/experiment";
import { idAt } from "../../../../test/support/builders.js";
import { schema } from "../../context/test/every-kind.js";
import {
	addCounts,
	type ContextCounts,
	ContextTally,
	makeLaunch,
	type ObservedDecision,
} from "./index.js";

const { encode } = compileEncoder(schema);

function decided(
	context: JsonObject,
	i: number,
	why: ObservedDecision["missing"] = {},
): ObservedDecision {
	const { x, missing } = encode(context);
	const absent = Object.fromEntries(
		missing.map((name) => [name, "absent"] as const),
	);
	return { id: idAt(0, i), context, x, missing: { ...absent, ...why } };
}
const whole = (i: number): JsonObject => ({
	hour: i % 24,
	device: i % 3 === 0 ? "phone" : "desktop",
	headphones: i % 2 === 0,
	activity: "run",
	tempo: 60 + (i % 100),
	skips: i % 5,
	taste: [i % 7, -(i % 11)],
});
const launched = Array.from({ length: 1_000 }, (_, i) => decided(whole(i), i));
const launch = makeLaunch(schema, launched, { from: 0, to: 1 });

function tally(
	decisions: readonly ObservedDecision[],
	of: ContextSchema = schema,
): ContextCounts {
	const counting = new ContextTally(of, launch);
	for (const decision of decisions) counting.add(decision);
	return counting.counts;
}
const named = (counts: ContextCounts, name: string) =>
	counts.features[schema.features.findIndex((one) => one.name === name)];

describe("the counts of contexts", () => {
	it("of the launch's own decisions are the launch's", () => {
		const counts = tally(launched);
		expect(counts.decisions).toBe(1_000);
		for (const [i, feature] of launch.features.entries())
			expect(counts.features[i]?.bins).toEqual(
				feature.parts.map((part) => part?.counts),
			);
	});

	it("say why values were missing, and how many levels nobody declared", () => {
		const counts = tally([
			decided({ ...whole(1), taste: null }, 1, { taste: "no consent" }),
			decided({ ...whole(2), taste: null, skips: null }, 2, {
				taste: "over budget",
				skips: "out of date",
			}),
			decided({ ...whole(3), device: "watch" }, 3),
			decided({}, 5),
		]);
		expect(named(counts, "taste")?.missing).toEqual([1, 1, 1, 0]);
		expect(named(counts, "skips")?.missing).toEqual([1, 0, 0, 1]);
		expect(named(counts, "device")).toMatchObject({
			missing: [1, 0, 0, 0],
			unseen: 1,
		});
	});

	it("make x again for one decision of four, by its id, and say where and how far it differs", () => {
		const good = Array.from({ length: 16 }, (_, i) => decided(whole(i), i));
		const bad = good.map((decision) => {
			const x = decision.x.slice();
			const tempo = 6;
			x[tempo] = (x[tempo] ?? 0) + 0.25;
			return { ...decision, x };
		});
		expect(tally(good)).toMatchObject({ decisions: 16, remade: 4 });
		expect(named(tally(good), "tempo")).toMatchObject({
			differing: 0,
			largest: 0,
		});
		const counts = tally([...good, ...bad]);
		expect(counts.remade).toBe(8);
		expect(named(counts, "tempo")).toMatchObject({
			differing: 4,
			largest: 0.25,
		});
		expect(named(counts, "hour")?.differing).toBe(0);
		const short = { ...decided(whole(4), 4), x: new Float64Array(3) };
		expect(named(tally([short]), "taste")?.differing).toBe(1);
	});

	it("are the same in whatever order and however parted decisions are counted", () => {
		const some = Array.from({ length: 60 }, (_, i) =>
			decided(
				i % 4 === 0 ? { tempo: i, device: `new-${i % 3}` } : whole(i * 7),
				i,
			),
		);
		const all = tally(some);
		const order = fc.shuffledSubarray(some, { minLength: 60 });
		fc.assert(
			fc.property(order, fc.nat(60), (shuffled, cut) => {
				const parts = [
					tally(shuffled.slice(cut)),
					tally(shuffled.slice(0, cut)),
				];
				const sum = parts.reduce<ContextCounts | null>(addCounts, null);
				expect(sum).toEqual(all);
			}),
		);
	});
});
