import { expect, test } from "vitest";
import type { BookedCounts } from "#core/booking";
import { seededRandom } from "../../../../test/support/random.js";
import { makeReport, type Report } from "../src/index.js";
import { checkShownAlike } from "../src/shown-alike-check.js";
import { definitionOf, HOUR, inputOf, momentsOf, unitsOf } from "./builders.js";
import { groups, PLANNED, planned } from "./planned.js";

const SEED = Number(process.env.SEED ?? 20261127);

/** So many units in each group with a decision each, of whom so many were shown it; all shown earn half of the time. */
function reportOf(
	[policy, shownToPolicy]: readonly [number, number],
	[control, shownToControl]: readonly [number, number],
	definition = planned,
): Report {
	const input = inputOf(
		[
			...unitsOf("policy", shownToPolicy, 0.5 * shownToPolicy),
			...unitsOf("control", shownToControl, 0.5 * shownToControl),
		],
		definition,
	);
	const place = input.booked.metrics.findIndex(
		({ name }) => name === "impression_rate",
	);
	const of = {
		policy: momentsOf(unitsOf("policy", policy, shownToPolicy)),
		control: momentsOf(unitsOf("control", control, shownToControl)),
	};
	const epochs = input.booked.epochs.map((epoch) => ({
		...epoch,
		firstIn: { policy, control },
		slices: epoch.slices.map((slice) => ({
			...slice,
			moments: slice.moments.map((moments, i) =>
				i === place ? of[slice.group] : moments,
			),
		})),
	}));
	return makeReport({ ...input, booked: { ...input.booked, epochs } });
}

const checkOf = (report: Report) =>
	report.checks.find(({ check }) => check === "shown alike");

test("a policy whose payloads are not shown to a tenth of its listeners is compared with nothing, though the split is perfect", () => {
	const report = reportOf([2_000, 1_800], [2_000, 2_000]);
	expect(
		report.checks.find(({ check }) => check === "sample ratio")?.status,
	).toBe("passed");
	expect(checkOf(report)).toMatchObject({ status: "failed" });
	expect(checkOf(report)?.sentence).toMatch(
		/^90 % of the policy's decisions and 100 % of control's were shown, which is no chance/,
	);
	expect(report.answer.verdict).toBe("do not trust");
	expect(report.lift.withheld).toBe("covered: shown alike failed");
	expect(report.metrics[0]?.lift.estimate).toBeNull();
});

test("groups that are shown alike, all or in part, are compared", () => {
	expect(checkOf(reportOf([2_000, 1_800], [1_900, 1_712]))?.status).toBe(
		"passed",
	);
	const all = reportOf([2_000, 2_000], [1_900, 1_900]);
	expect(checkOf(all)).toMatchObject({
		status: "not enough evidence",
		pValue: null,
	});
	expect(all.lift.withheld).toBeNull();
});

const everyTeaches = (metric: string) =>
	definitionOf({
		...PLANNED,
		metrics: { primary: { ...PLANNED.metrics.primary, metric } },
		reward: {
			learn: "decision",
			window: "30m",
			range: [-1, 2],
			outcomes: [{ type: "play", value: 1 }],
		},
	});

test("where all decisions teach, the reward does not depend on what was shown, and what is told per impression does", () => {
	const report = reportOf(
		[2_000, 1_800],
		[2_000, 2_000],
		everyTeaches("reward"),
	);
	expect(checkOf(report)).toMatchObject({
		status: "failed",
		covers: ["metrics of what was shown"],
		sentence: expect.stringMatching(/report them\.$/),
	});
	expect(report.answer.verdict).not.toBe("do not trust");
	const of = (name: string) =>
		report.metrics.find(({ metric }) => metric === name);
	expect(report.lift.estimate).not.toBeNull();
	expect(of("reward")?.lift.withheld).toBeNull();
	expect(of("click_rate")).toMatchObject({
		policy: { mean: null },
		lift: { withheld: "covered: shown alike failed" },
	});
	const byArm = report.metricsByArm.filter(({ arms }) =>
		arms.every(({ withheld }) => withheld === "covered: shown alike failed"),
	);
	expect(byArm.map(({ metric }) => metric)).toContain("click_rate");
	expect(of("play_through_rate")?.lift.withheld).toMatch(/shown alike failed/);
	expect(byArm.map(({ metric }) => metric)).not.toContain("reward");
});

test("where all decisions teach and the primary metric is told per impression, its lift is covered", () => {
	const clicks = everyTeaches("click_rate");
	const report = reportOf([2_000, 1_800], [2_000, 2_000], clicks);
	expect(report.answer.verdict).toBe("do not trust");
	expect(report.lift.withheld).toBe("covered: shown alike failed");
});

test("where too few were shown, or left out, it is not known", () => {
	expect(checkOf(makeReport(inputOf([], planned)))?.sentence).toBe(
		"There are not two groups with decisions yet.",
	);
	expect(checkOf(makeReport(inputOf(groups(50, 9, 9), planned)))?.status).toBe(
		"not enough evidence",
	);
});

test(`groups that are shown alike are rarely told apart, however small control is, however rarely one is left out, and however often it is looked at (SEED=${SEED})`, () => {
	const random = seededRandom(SEED);
	const { booked, atStart } = inputOf(groups(1, 1, 1), planned);
	const place = booked.metrics.findIndex(
		({ name }) => name === "impression_rate",
	);
	// n and C of a unit are 0 or 1.
	const momentsFor = ({ units, shown }: { units: number; shown: number }) =>
		booked.metrics.map((_, i) =>
			i === place
				? { units, n: units, c: shown, nn: units, nc: shown, cc: shown }
				: momentsOf([]),
		);
	let alarms = 0;
	for (let run = 0; run < 300; run++) {
		const rate = [0.9, 0.97, 0.99][run % 3] as number;
		const seen = {
			policy: { units: 0, shown: 0 },
			control: { units: 0, shown: 0 },
		};
		const looks: BookedCounts["looks"][number][] = [];
		for (let hour = 1; hour <= 20; hour++) {
			for (let i = 0; i < 500; i++) {
				const group = seen[random() < 0.1 ? "control" : "policy"];
				group.units += 1;
				if (random() < rate) group.shown += 1;
			}
			for (const group of ["control", "policy"] as const)
				looks.push({
					at: HOUR + hour,
					epoch: 1,
					group,
					units: seen[group].units,
					firstIn: seen[group].units,
					moments: momentsFor(seen[group]),
				});
		}
		const check = checkShownAlike({ ...booked, looks }, atStart);
		if (check.status === "failed") alarms += 1;
	}
	expect(alarms).toBeLessThanOrEqual(1);
});
