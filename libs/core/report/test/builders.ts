import {
	type Definition,
	type Experiment,
	parseExperiment,
} from "#core/experiment";
import type { ArmCounts, ReportCounts, UnitMoments } from "../src/index.js";

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
		analysis: 1,
		epoch: 1,
		winner: null,
		held: false,
		salt: "00".repeat(32),
		bucketMs: 86_400_000,
		...rest,
	};
}

export interface Row {
	readonly group: ArmCounts["group"];
	readonly arm: string;
	readonly unit: string;
	/** Absent: not learned. */
	readonly reward?: number;
}

/** The counts of a log given row by row. */
export function countsOf(
	rows: readonly Row[],
	more: Partial<ReportCounts> = {},
): ReportCounts {
	const arms = groups(rows, ({ group, arm }) => `${group} ${arm}`).map(
		(own): ArmCounts => {
			const rewards = own.flatMap(({ reward }) =>
				reward === undefined ? [] : [reward],
			);
			return {
				group: own[0]!.group,
				arm: own[0]!.arm,
				decisions: own.length,
				learned: rewards.length,
				rewardSum: sum(rewards),
				rewardSquaredSum: sum(rewards.map((r) => r * r)),
			};
		},
	);
	const learned = rows.filter(({ reward }) => reward !== undefined);
	return {
		revision: 7,
		firstDecidedAt: 1_750_000_000_000,
		lastDecidedAt: 1_750_000_060_000,
		arms,
		units: groups(learned, ({ group }) => group).map((own) => ({
			group: own[0]!.group,
			...moments(own),
		})),
		armUnits: groups(learned, ({ group, arm }) => `${group} ${arm}`).map(
			(own) => ({ group: own[0]!.group, arm: own[0]!.arm, ...moments(own) }),
		),
		deadLetters: 0,
		waitingEvents: 0,
		...more,
	};
}

function moments(rows: readonly Row[]): Omit<UnitMoments, "group"> {
	const units = groups(rows, ({ unit }) => unit).map((own) => ({
		n: own.length,
		c: sum(own.map(({ reward }) => reward ?? 0)),
	}));
	return {
		units: units.length,
		n: sum(units.map(({ n }) => n)),
		c: sum(units.map(({ c }) => c)),
		nn: sum(units.map(({ n }) => n * n)),
		nc: sum(units.map(({ n, c }) => n * c)),
		cc: sum(units.map(({ c }) => c * c)),
	};
}

function groups<T>(items: readonly T[], key: (item: T) => string): T[][] {
	const found = new Map<string, T[]>();
	for (const item of items)
		found.set(key(item), [...(found.get(key(item)) ?? []), item]);
	return [...found.values()];
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
