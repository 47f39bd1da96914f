import {
	ALL,
	armSlice,
	type BookedCounts,
	type BookedMoments,
	type BookedSlice,
	type Side,
	segmentSlice,
	WEEK1,
} from "#core/booking";
import {
	type Definition,
	type Experiment,
	parseExperiment,
} from "#core/experiment";
import { metricsOf } from "#core/metrics";
import type { ReportInput } from "../src/index.js";
import { stratumOf } from "../src/index.js";

/** A running experiment of three arms, control uniform. */
export function definitionOf(
	changes: { readonly [key: string]: unknown } = {},
	rest: Partial<Definition> = {},
): Definition {
	const parsed = parseExperiment({
		key: "morning",
		name: "Which prompt opens the morning?",
		arms: [{ key: "focus" }, { key: "energy" }, { key: "calm" }],
		context: { features: [] },
		policy: { kind: "linucb", alpha: 0.5 },
		reward: {
			window: "30m",
			range: [-1, 2],
			outcomes: [{ type: "play", value: 1 }],
		},
		traffic: { share: 1, control: 0.1, baseline: "uniform" },
		...changes,
	});
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
	const experiment: Experiment = parsed.value;
	return {
		id: 1,
		experiment,
		version: 1,
		state: "running",
		run: 1,
		bookedRun: 1,
		analysis: 1,
		epoch: 1,
		winner: null,
		held: false,
		salt: "00".repeat(32),
		bucketMs: 86_400_000,
		...rest,
	};
}

/** A closed decision. */
export interface Row {
	readonly group: Side;
	readonly arm?: string;
	readonly unit: string;
	/** Absent: not learned. */
	readonly reward?: number;
	/** Hours since `HOUR`. */
	readonly hour?: number;
	readonly epoch?: number;
	/** `feature=level` of a segment. */
	readonly segment?: readonly [feature: string, level: string];
	/** In the unit's first week; default true. */
	readonly inWeek1?: boolean;
}

/** 2026-11-02T08:00:00Z. */
export const HOUR = Date.UTC(2026, 10, 2, 8);
const HOUR_MS = 3_600_000;

/** Rollups as booking would have made them of the rows, of reward alone; other metrics have none. */
export function bookedOf(
	rows: readonly Row[],
	definition: Definition = definitionOf(),
): BookedCounts {
	const { experiment, run, version } = definition;
	const metrics = metricsOf(experiment);
	const place = metrics.findIndex(({ name }) => name === "reward");
	const epochs = [...new Set(rows.map(({ epoch = 1 }) => epoch))];
	return {
		experiment: experiment.key,
		version,
		run,
		freshness: {
			bookedUpTo: HOUR + 24 * HOUR_MS,
			cursor: null,
			isPending: false,
			revision: 7,
			newestRevision: 7,
			decisions: rows.length,
			waiting: 0,
			unbooked: 0,
			bookedAt: HOUR + 24 * HOUR_MS,
		},
		metrics,
		epochs: epochs.map((epoch) => {
			const own = rows.filter((row) => (row.epoch ?? 1) === epoch);
			const first = (side: Side) =>
				new Set(
					own.filter(({ group }) => group === side).map(({ unit }) => unit),
				).size;
			return {
				epoch,
				slices: slicesOf(own, metrics.length, place),
				firstIn: { policy: first("policy"), control: first("control") },
				inBoth: 0,
			};
		}),
		hours: hoursOf(rows),
		draws: [],
		degraded: { decisions: 0, parts: {} },
		scores: new Map(),
		looks: [],
	};
}

function slicesOf(
	rows: readonly Row[],
	metrics: number,
	place: number,
): BookedSlice[] {
	const named = rows.flatMap((row) => [
		{ slice: ALL, row },
		...(row.inWeek1 === false ? [] : [{ slice: WEEK1, row }]),
		{ slice: armSlice(row.arm ?? "focus"), row },
		...(row.segment === undefined
			? []
			: [{ slice: segmentSlice(...row.segment), row }]),
	]);
	return grouped(named, ({ slice, row }) => `${slice} ${row.group}`).map(
		(own) => ({
			slice: own[0]!.slice,
			group: own[0]!.row.group,
			units: new Set(own.map(({ row }) => row.unit)).size,
			moments: Array.from({ length: metrics }, (_, i) =>
				momentsOf(i === place ? own.map(({ row }) => row) : []),
			),
			covariate: null,
		}),
	);
}

export function momentsOf(rows: readonly Row[]): BookedMoments {
	const learned = rows.filter(({ reward }) => reward !== undefined);
	const sums = { units: 0, n: 0, c: 0, nn: 0, nc: 0, cc: 0 };
	for (const own of grouped(learned, ({ unit }) => unit)) {
		const n = own.length;
		const c = own.reduce((sum, { reward = 0 }) => sum + reward, 0);
		sums.units += 1;
		sums.n += n;
		sums.c += c;
		sums.nn += n * n;
		sums.nc += n * c;
		sums.cc += c * c;
	}
	return sums;
}

function hoursOf(rows: readonly Row[]): BookedCounts["hours"] {
	return grouped(
		rows,
		({ group, arm = "focus", hour = 0, epoch = 1 }) =>
			`${epoch} ${hour} ${group} ${arm}`,
	).map((own) => {
		const { group, arm = "focus", hour = 0, epoch = 1 } = own[0]!;
		const learned = own.filter(({ reward }) => reward !== undefined);
		return {
			epoch,
			hour: HOUR + hour * HOUR_MS,
			group,
			arm,
			decisions: own.length,
			shown: learned.length,
			learned: learned.length,
			reward: learned.reduce((sum, { reward = 0 }) => sum + reward, 0),
		};
	});
}

function grouped<T>(list: readonly T[], keyOf: (one: T) => string): T[][] {
	const groups = new Map<string, T[]>();
	for (const one of list) {
		const key = keyOf(one);
		const group = groups.get(key);
		if (group) group.push(one);
		else groups.set(key, [one]);
	}
	return [...groups.values()];
}

/** All that a report is made of, of closed decisions. */
export function inputOf(
	rows: readonly Row[],
	definition: Definition = definitionOf(),
	more: Partial<ReportInput> = {},
): ReportInput {
	const booked = bookedOf(rows, definition);
	const { control, baseline } = definition.experiment.traffic;
	return {
		definition,
		atStart: definition.experiment,
		servedBefore: false,
		isStickyByUnit: definition.experiment.sticky === "unit",
		hasOnePolicy: true,
		controlOf: new Map(
			booked.epochs.flatMap(({ epoch }) => [
				[epoch, control],
				[stratumOf(1, epoch), control],
			]),
		),
		baselineOf: new Map([
			[1, baseline],
			...booked.epochs.flatMap(({ epoch }): [number, string][] => [
				[epoch, baseline],
				[stratumOf(1, epoch), baseline],
			]),
		]),
		booked,
		open: [],
		firstDecidedAt: HOUR,
		lastDecidedAt: HOUR + HOUR_MS,
		guardrails: [],
		marks: [],
		missing: {},
		lateEvents: 0,
		lostPacks: 0,
		deadLetters: 0,
		waitingEvents: 0,
		...more,
	};
}

/** Units of a group with a decision each: `of` of them earn 1, the others 0. */
export function unitsOf(
	group: Side,
	units: number,
	of: number,
	rest: Partial<Row> = {},
): Row[] {
	return Array.from({ length: units }, (_, i) => ({
		group,
		unit: `${group}-${i}`,
		reward: i < of ? 1 : 0,
		...rest,
	}));
}
