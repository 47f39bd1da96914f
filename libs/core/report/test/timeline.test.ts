import { expect, test } from "vitest";
import { ALL } from "#core/booking";
import { makeReport } from "../src/index.js";
import { timelineOf } from "../src/timeline.js";
import { bookedOf, HOUR, inputOf } from "./builders.js";
import { groups, planned } from "./planned.js";

const HOUR_MS = 3_600_000;

test("a run of any length has its looks, at most 200 of them, in order, the last always among them", () => {
	const booked = bookedOf([]);
	for (let hours = 1; hours <= 2_000; hours++) {
		const all = Array.from({ length: hours }, (_, i) => ({
			at: i,
			estimate: 0,
			low: 0,
			high: 0,
			pValue: 1,
		}));
		const looks = timelineOf(all, booked, []).looks.map((look) => look?.at);
		expect(looks.length, `${hours}`).toBe(Math.min(hours, 200));
		expect(looks.at(-1), `${hours}`).toBe(hours - 1);
		expect(
			looks.every((at, i) => i === 0 || at > (looks[i - 1] as number)),
			`${hours}`,
		).toBe(true);
	}
});

test("a report over 218 hours has all of its numbers", () => {
	const input = inputOf(groups(1000, 600, 450), planned);
	const slices = (input.booked.epochs[0]?.slices ?? []).filter(
		({ slice }) => slice === ALL,
	);
	const looks = Array.from({ length: 218 }, (_, hour) =>
		slices.map(({ group, units, moments }) => ({
			at: HOUR + hour * HOUR_MS,
			epoch: 1,
			group,
			units,
			firstIn: units,
			moments,
		})),
	).flat();
	const report = makeReport({ ...input, booked: { ...input.booked, looks } });
	expect(report.timeline.looks).toHaveLength(200);
	for (const look of report.timeline.looks)
		expect(look.estimate).toBeCloseTo(0.15, 12);
});
