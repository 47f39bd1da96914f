import { quantise } from "#core/linalg";
import { toGuardrail, toMetrics, toSchedule } from "./analysis-document.js";
import type {
	ArmDocument,
	ExperimentDocument,
	PolicyDocument,
	RewardDocument,
	TrafficDocument,
} from "./document.js";
import { parseDuration } from "./duration.js";
import type {
	Arm,
	ContextSchema,
	Experiment,
	Feature,
	JsonObject,
	Policy,
	Reward,
	Sticky,
	Traffic,
} from "./experiment.js";
import {
	type FeatureDocument,
	type NumberDocument,
	productName,
	type VectorDocument,
} from "./feature-document.js";
import { FIELDS_OF, type LiveFeature, type LiveField } from "./live-feature.js";

/** A document that has the schema's structure → the domain value: defaults filled in, durations in ms, numbers on the grid. */
export function fromDocument(document: ExperimentDocument): Experiment {
	return {
		key: document.key,
		name: document.name ?? document.key,
		hypothesis: document.hypothesis ?? "",
		owner: document.owner ?? "",
		arms: document.arms.map(toArm),
		context: toContext(
			document.context?.intercept,
			document.context?.features ?? [],
			document.context?.enrichBudgetMs,
		),
		policy: toPolicy(document.policy),
		reward: toReward(document.reward),
		traffic: toTraffic(document.traffic ?? {}),
		guardrails: (document.guardrails ?? []).map(toGuardrail),
		...((document.sticky ?? "none") !== "none" && {
			sticky: document.sticky as Sticky,
		}),
		...defined({
			metrics: toMetrics(document.metrics ?? {}),
			segments: document.segments?.length ? document.segments : undefined,
			covariate: document.covariate,
			schedule: toSchedule(document.schedule ?? {}),
		}),
	};
}

export function toArm({ state, ...arm }: ArmDocument): Arm {
	return defined({
		key: arm.key,
		payload: (arm.payload ?? {}) as JsonObject,
		payloads: arm.payloads as Arm["payloads"],
		tags: arm.tags ?? [],
		eligible: arm.eligible,
		features: arm.features,
		state: state === "active" ? undefined : state,
	});
}

export function toContext(
	intercept: boolean | undefined,
	features: readonly FeatureDocument[],
	enrichBudgetMs?: number,
): ContextSchema {
	return defined({
		intercept: intercept ?? true,
		features: features.map(toFeature),
		enrichBudgetMs,
	});
}

export function toFeature(document: FeatureDocument): Feature {
	if (document.kind === "product")
		return {
			name: productName(document),
			from: "product",
			kind: "product",
			of: document.of,
		};
	const base = defined({
		name: document.name,
		from: document.from,
		consent: document.consent,
		hint: document.hint,
		missing: document.missing === "zero" ? undefined : document.missing,
		alarm: document.alarm && defined(document.alarm),
	});
	switch (document.kind) {
		case "number": {
			const number = {
				...base,
				kind: document.kind,
				mean: document.mean ?? 0,
				scale: document.scale ?? 1,
			} as const;
			const live = toLive(document);
			return live === null ? number : { ...number, live };
		}
		case "boolean":
			return defined({ ...base, kind: document.kind, mean: document.mean });
		case "cyclic":
			return defined({
				...base,
				kind: document.kind,
				period: document.period,
				mean: document.mean,
			});
		case "category":
			return defined({
				...base,
				kind: document.kind,
				levels: document.levels,
				mean: document.mean,
			});
		case "attribute":
			return defined({
				...base,
				kind: document.kind,
				type: document.type === "number" ? document.type : undefined,
				values: document.values ?? [],
			});
		case "timeOfDay":
			return defined({ ...base, kind: document.kind, mean: document.mean });
		case "vector":
			return defined({
				...base,
				kind: document.kind,
				length: document.length,
				mean: document.mean,
				live: toMeanVector(document),
			});
	}
}

function toMeanVector({
	event,
	window,
	by = "session",
	length,
}: VectorDocument): LiveFeature | undefined {
	if (event === undefined || window === undefined) return undefined;
	const windowMs = milliseconds(window);
	return { event, windowMs, aggregate: "meanVector", by, length };
}

function toLive({
	event,
	window,
	aggregate = "count",
	of,
	by = "unit",
	item,
	arm,
}: NumberDocument): LiveFeature | null {
	if (event === undefined || window === undefined) return null;
	const windowMs = milliseconds(window);
	// The schema lets nothing else through.
	const field = (of as LiveField | undefined) ?? FIELDS_OF[aggregate][0];
	return defined({ event, windowMs, aggregate, of: field, by, item, arm });
}

export function toPolicy(document: PolicyDocument): Policy {
	const base = defined({
		ridge: quantise(document.ridge ?? 1),
		explore: document.explore ?? 0.05,
		halfLifeMs:
			document.halfLife === undefined
				? undefined
				: milliseconds(document.halfLife),
		slidingWindowMs:
			document.slidingWindow === undefined
				? undefined
				: milliseconds(document.slidingWindow),
	});
	switch (document.kind) {
		case "linucb":
		case "hybrid-linucb":
		case "thompson":
			return { kind: document.kind, alpha: document.alpha ?? 0.5, ...base };
		case "uniform":
			return { kind: document.kind, ...base };
		case "fixed":
			return { kind: document.kind, arm: document.arm, ...base };
	}
}

export function toReward(document: RewardDocument): Reward {
	const [low, high] = document.range ?? [-8, 8];
	return {
		learn: document.learn ?? "impression",
		windowMs: milliseconds(document.window),
		default: onGrid(document.default ?? 0),
		combine: document.combine ?? "sum",
		range: [onGrid(low), onGrid(high)],
		outcomes: document.outcomes.map(({ type, value, within }) =>
			defined({
				type,
				value: value === undefined ? undefined : onGrid(value),
				withinMs: within === undefined ? undefined : milliseconds(within),
			}),
		),
	};
}

export function toTraffic({
	share,
	control,
	baseline,
}: TrafficDocument): Traffic {
	return {
		share: share ?? 1,
		control: control ?? 0,
		baseline: baseline ?? "uniform",
	};
}

/** + 0 turns −0 into 0, so that equal numbers have equal bits. */
function onGrid(value: number): number {
	return quantise(value) + 0;
}

/** The schema has checked the text. */
function milliseconds(text: string): number {
	return parseDuration(text) ?? 0;
}

/** Without the keys whose value is undefined, so that equal experiments are deeply equal. */
function defined<T extends object>(value: T): T {
	return Object.fromEntries(
		Object.entries(value).filter(([, item]) => item !== undefined),
	) as T;
}
