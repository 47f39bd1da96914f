import { describe, expect, it } from "vitest";
import { BUILT_IN_METRICS, type Experiment } from "#core/experiment";
import type { Event } from "#core/log";
import { anExperiment } from "../../../../test/support/builders.js";
import {
	BUILT_IN,
	contributionOf,
	type Metric,
	metricsOf,
	ofUnit,
	STEPS,
} from "./index.js";

const AT = 1_000_000_000;
const decision = { unit: "ann", group: "policy", decidedAt: AT } as const;
const experiment = anExperiment({
	key: "measured",
	arms: [{ key: "a" }],
	policy: { kind: "uniform" },
	reward: {
		window: "10m",
		default: -0.5,
		outcomes: [{ type: "play", value: 0.25 }, { type: "rate" }],
	},
	metrics: {
		define: [
			{ name: "dislikes", event: "dislike", count: "once", within: "30s" },
			{ name: "tips", event: "tip", per: "unit", count: "value", cap: 3 },
			{ name: "finished", event: "complete", per: "play", count: "each" },
			{ name: "skips", event: "skip", per: "decision", count: "each" },
		],
	},
});

let made = 0;
function event(
	type: string,
	afterSeconds: number,
	fields: Partial<Event> = {},
): Event {
	made += 1;
	return {
		id: `e${made}`,
		type,
		at: AT + 1_000 * afterSeconds,
		unit: "ann",
		decisionId: "d",
		...fields,
	};
}
function measured(outcomes: readonly Event[], of: Experiment = experiment) {
	const { columns } = contributionOf(of, decision, outcomes);
	return Object.fromEntries(
		metricsOf(of).map(({ name }, i) => [
			name,
			[columns[2 * i], (columns[2 * i + 1] as number) / STEPS] as const,
		]),
	);
}

it("has the metrics that every experiment may name, and no others", () => {
	expect(BUILT_IN.map(({ name }) => name).sort()).toEqual(
		Object.keys(BUILT_IN_METRICS).sort(),
	);
});

describe("a decision", () => {
	it("that was not shown counts as a decision and nothing else", () => {
		const all = measured([]);
		expect(all.impression_rate).toEqual([1, 0]);
		const { impression_rate: _, ...others } = all;
		for (const pair of Object.values(others)) expect(pair).toEqual([0, 0]);
	});

	it("has its reward where it teaches, in whole steps, and each share once however often it happened", () => {
		const all = measured([
			event("play", 5),
			event("play", 9),
			event("save", 20),
			event("skip", 30),
			event("skip", 31),
		]);
		expect(all.reward).toEqual([1, 0.5]);
		expect(all.impression_rate).toEqual([1, 1]);
		expect(all.play_rate).toEqual([1, 1]);
		expect(all.save_rate).toEqual([1, 1]);
		expect(all.click_rate).toEqual([1, 0]);
		expect(all.skip_rate).toEqual([1, 1]);
		expect(all.time_to_first_play).toEqual([1, 5]);
		expect(all.play_through_rate).toEqual([1, 0]);
		expect(all.skips).toEqual([1, 2]);
	});

	it("counts no skip after 30 seconds as an early one", () => {
		expect(measured([event("skip", 31)]).skip_rate).toEqual([1, 0]);
	});

	it("counts what stands: nothing late, early, of another unit, taken back, or without the value that it needs", () => {
		for (const outcomes of [
			[event("save", 601)],
			[event("save", -301)],
			[event("save", 5, { unit: "bob" })],
			[event("save", 5, { id: "s" }), event("retract", 6, { retracts: "s" })],
			[event("rate", 5)],
		])
			expect(measured(outcomes).impression_rate).toEqual([1, 0]);
		expect(measured([event("save", -299)]).save_rate).toEqual([1, 1]);
		expect(measured([event("play", -299)]).time_to_first_play).toEqual([1, 0]);
	});

	it("adds up what was bought, and how often premium was taken", () => {
		const all = measured([
			event("purchase", 5, { value: 9.99 }),
			event("purchase", 6, { value: 5 }),
			event("purchase", 6, { value: 2 ** 30 }),
			event("purchase", 7),
			event("premium", 8),
		]);
		expect(all.revenue?.[1]).toBe(Math.round(9.99 * 4096) / 4096 + 5);
		expect(all.premium_rate).toEqual([0, 1]);
	});

	it("counts an experiment's own metrics as they are defined", () => {
		const all = measured([
			event("dislike", 31),
			event("tip", 5, { value: 2 }),
			event("tip", 6, { value: 2 }),
			event("play", 7),
			event("complete", 8),
			event("complete", 9),
		]);
		expect(all.dislikes).toEqual([1, 0]);
		expect(all.tips).toEqual([0, 4]);
		expect(all.finished).toEqual([1, 2]);
		expect(measured([event("dislike", 30)]).dislikes).toEqual([1, 1]);
		expect(measured([event("complete", 9)]).finished).toEqual([0, 0]);
		const tips = metricsOf(experiment).find(({ name }) => name === "tips");
		expect(tips && ofUnit(tips, 0, 4 * STEPS)).toEqual([1, 3 * STEPS]);
	});

	it("of which a listener has one or not counts the listener once, however many decisions had it", () => {
		const of = (more: object) =>
			metricsOf({
				...experiment,
				metrics: {
					secondary: [],
					define: [
						{
							name: "sharers",
							event: "share",
							per: "unit",
							count: "once",
							unit: "share",
							better: "higher",
							...more,
						},
					],
				},
			}).at(-1) as Metric;
		for (const metric of [of({}), of({ cap: 3 })]) {
			expect(ofUnit(metric, 0, 3 * STEPS)).toEqual([1, STEPS]);
			expect(ofUnit(metric, 0, 0)).toEqual([1, 0]);
		}
		expect(ofUnit(of({ cap: 0.5 }), 0, 3 * STEPS)).toEqual([1, STEPS / 2]);
		expect(of({ count: "each" }).cap).toBeNull();
		expect(of({ per: "impression" }).cap).toBeNull();
	});

	it("outside the experiment is shown or not, and teaches nothing", () => {
		const outside = contributionOf(
			experiment,
			{ ...decision, group: "outside" },
			[event("play", 5)],
		);
		expect(outside).toMatchObject({ shown: true, exposed: 0, reward: 0 });
		expect(outside.columns[0]).toBe(0);
	});
});

describe("while a decision stands for its unit", () => {
	const HOUR = 3_600;
	const from = Math.floor(AT / 3_600_000);
	const standing = { ...experiment, sticky: "unit" as const };
	const visits = (outcomes: readonly Event[], of: Experiment = standing) =>
		contributionOf(of, decision, outcomes).visits;

	it("is back in each hour of the clock in which it asked or something happened, in the window or long after it", () => {
		const late = event("complete", 200 * HOUR);
		const outcomes = [
			event("play", 60),
			event("_visit", 30 * HOUR),
			event("_visit", 5 * HOUR),
			event("skip", 5 * HOUR + 60),
			late,
		];
		const hours = [5, 30, 200].map((hour) => from + hour);
		expect(visits(outcomes)).toEqual(hours);
		expect(visits(outcomes.toReversed())).toEqual(hours);
	});

	it("is not back by what another did, what was taken back however late, a retract, or what comes after all who ask", () => {
		const taken = event("play", 50 * HOUR);
		const kept = event("_visit", 40 * HOUR);
		const back = (of: Event, fields: Partial<Event> = {}) =>
			event("retract", 300 * HOUR, { retracts: of.id, ...fields });
		const outcomes = [
			taken,
			kept,
			event("play", 60 * HOUR, { unit: "bob" }),
			event("play", 28 * 24 * HOUR),
			back(taken),
			// Nobody but Segue tells of it, so nobody takes it back.
			back(kept),
		];
		expect(visits(outcomes)).toEqual([from + 40]);
		expect(visits([taken, back(taken, { unit: "bob" })])).toEqual([from + 50]);
	});

	it("earns nothing by asking again, and is not shown anything by it", () => {
		const asked = contributionOf(standing, decision, [event("_visit", 60)]);
		expect(asked).toMatchObject({ exposed: 0, shown: false, until: AT });
		expect(asked.columns).toEqual(
			contributionOf(standing, decision, []).columns,
		);
	});

	it("is told of by its next decision where none stands", () => {
		const { sticky: _, ...plain } = standing;
		expect(visits([event("play", 50 * HOUR)], plain)).toBeNull();
		const session = { ...plain, sticky: "session" as const };
		expect(visits([event("play", 50 * HOUR)], session)).toBeNull();
	});
});
