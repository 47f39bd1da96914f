import type { z } from "zod";
import { layOut } from "#core/context";
import {
	analysisFields,
	guardrailSchema,
	metricsSchema,
	scheduleSchema,
} from "./analysis-document.js";
import { bucketMsFor } from "./bucket.js";
import {
	analysisWarnings,
	covariateProblems,
	scheduleProblems,
	segmentProblems,
} from "./check-analysis.js";
import {
	armProblems,
	inactiveArmWarnings,
	namedArmProblems,
	noActiveArm,
} from "./check-arms.js";
import {
	dimensionProblem,
	featureProblems,
	type Placed,
} from "./check-context.js";
import { liveArmProblems } from "./check-live.js";
import {
	guardrailProblems,
	metricProblems,
	writtenGuardrailProblems,
} from "./check-metrics.js";
import { armFeatureProblems, policyProblems } from "./check-policy.js";
import { productProblems } from "./check-products.js";
import { rewardProblems, rewardWarnings } from "./check-reward.js";
import {
	armSchema,
	experimentSchema,
	policySchema,
	rewardSchema,
	type TrafficDocument,
	trafficSchema,
} from "./document.js";
import type {
	ContextSchema,
	Experiment,
	Parsed,
	Problem,
} from "./experiment.js";
import { type FeatureDocument, featureSchema } from "./feature-document.js";
import { fromDocument, toContext, toPolicy } from "./from-document.js";
import { deepFreeze, findJsonProblem, isPlainObject } from "./json-guard.js";
import { schemaProblems } from "./schema-problems.js";
import { stickyWarnings } from "./sticky.js";

/** Written: by a person, now. Stored: when it was taken, guardrails could name any metric and exclude each other. */
type Origin = "written" | "stored";

/**
 * An experiment as a product manager writes it (YAML read, or JSON) → the frozen domain value, or *all* problems at once:
 * parts that are well formed are checked against each other even where other parts are not.
 */
export function parseExperiment(
	raw: unknown,
	origin: Origin = "written",
): Parsed<Experiment> {
	const unsafe = findJsonProblem(raw);
	if (unsafe !== null) return { ok: false, problems: [unsafe] };
	const structural = schemaProblems(experimentSchema, raw);
	const problems = [
		...structural,
		...crossProblems(isPlainObject(raw) ? raw : {}, structural, origin),
	];
	if (problems.length > 0) return { ok: false, problems };
	const document = experimentSchema.parse(raw);
	const warnings = [
		...rewardWarnings(document.reward),
		...stickyWarnings(document),
		...inactiveArmWarnings(document),
		...analysisWarnings(document),
	];
	return {
		ok: true,
		value: deepFreeze(fromDocument(structuredClone(document))),
		warnings,
	};
}

type Raw = { readonly [key: string]: unknown };

/** What spans several fields, over those parts that have the schema's structure. */
function crossProblems(
	raw: Raw,
	structural: readonly Problem[],
	origin: Origin,
): Problem[] {
	const rawContext = isPlainObject(raw.context) ? raw.context : {};
	const arms = wellFormed(armSchema, raw.arms);
	const features = wellFormed(featureSchema, rawContext.features);
	const policy = policySchema.safeParse(raw.policy).data ?? null;
	const reward = rewardSchema.safeParse(raw.reward).data ?? null;
	const traffic = trafficSchema.safeParse(raw.traffic ?? {}).data ?? null;

	const problems = featureProblems(features);
	if (features.length === listOf(rawContext.features).length)
		problems.push(...productProblems(features));
	const contextIsWhole =
		problems.length === 0 &&
		!structural.some(({ path }) => path.startsWith("context"));
	let context: ContextSchema | null = null;
	if (contextIsWhole) {
		const intercept =
			rawContext.intercept === undefined
				? undefined
				: rawContext.intercept === true;
		const declared = features.map(({ value }) => value);
		const dimension = dimensionProblem(intercept, declared);
		if (dimension !== null) problems.push(dimension);
		context = toContext(intercept, declared);
	}
	problems.push(...armProblems(arms, context));
	const keys = arms.map(({ value }) => value.key);
	const armsAreWhole =
		keys.length > 0 && !structural.some(({ path }) => path.startsWith("arms"));
	if (armsAreWhole)
		problems.push(
			...namedArmProblems(keys, policy, traffic),
			...liveArmProblems(features, keys),
			...noActiveArm(arms.map(({ value }) => value)),
			...armFeatureProblems(
				arms,
				policy,
				context === null ? null : layOut(context).d,
			),
		);
	if (policy !== null) {
		problems.push(...policyProblems(policy));
		const bucket = bucketMsFor(toPolicy(policy));
		if (typeof bucket !== "number") problems.push(bucket);
	}
	if (reward !== null) problems.push(...rewardProblems(reward));
	problems.push(...analysisProblems(raw, features, traffic, origin));
	return problems;
}

/** Of metrics, guardrails, segments, covariate and schedule. */
function analysisProblems(
	raw: Raw,
	features: readonly Placed<FeatureDocument>[],
	traffic: TrafficDocument | null,
	origin: Origin,
): Problem[] {
	const guardrails = wellFormed(guardrailSchema, raw.guardrails);
	const metrics = metricsSchema.safeParse(raw.metrics ?? {}).data ?? null;
	const problems = guardrailProblems(guardrails, traffic);
	if (metrics !== null) problems.push(...metricProblems(metrics));
	if (origin === "written")
		problems.push(...writtenGuardrailProblems(guardrails, metrics));
	const rawContext = isPlainObject(raw.context) ? raw.context : {};
	if (features.length === listOf(rawContext.features).length) {
		const { segments, covariate } = analysisFields;
		const names = segments.safeParse(raw.segments).data ?? [];
		problems.push(...segmentProblems(names, features));
		const { data } = covariate.safeParse(raw.covariate);
		if (data !== undefined) problems.push(...covariateProblems(data, features));
	}
	const schedule = scheduleSchema.safeParse(raw.schedule ?? {}).data;
	if (schedule !== undefined) problems.push(...scheduleProblems(schedule));
	return problems;
}

function wellFormed<T>(schema: z.ZodType<T>, raw: unknown): Placed<T>[] {
	return listOf(raw).flatMap((item, index) => {
		const parsed = schema.safeParse(item);
		return parsed.success ? [{ index, value: parsed.data }] : [];
	});
}

function listOf(raw: unknown): readonly unknown[] {
	return Array.isArray(raw) ? raw : [];
}
