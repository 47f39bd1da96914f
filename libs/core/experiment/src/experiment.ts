import type { ClientHint } from "./client-hint.js";
import type { LiveFeature } from "./live-feature.js";
import type { Metrics } from "./metric-names.js";

/** The values a product manager writes, validated and frozen (see parse-experiment.ts). Durations are milliseconds. */

export type JsonValue =
	| string
	| number
	| boolean
	| null
	| readonly JsonValue[]
	| { readonly [key: string]: JsonValue };
export type JsonObject = { readonly [key: string]: JsonValue };

export type PayloadVariant = {
	/** CEL over `context.NAME`; where it reads what is missing it does not hold. */
	readonly when: string;
	readonly payload: JsonObject;
};

export interface Arm {
	readonly key: string;
	readonly payload: JsonObject;
	/** Instead of `payload`: that of the first whose rule holds. */
	readonly payloads?: readonly PayloadVariant[];
	readonly tags: readonly string[];
	/** CEL over `context.NAME`; absent means always eligible. */
	readonly eligible?: string;
	/** f_a of hybrid LinUCB: what arms have in common. All arms have equally many, or none has. */
	readonly features?: readonly number[];
	/** Absent: active. A paused arm is meant to come back, a retired one is not; neither is chosen, and outcomes of both still land. */
	readonly state?: "paused" | "retired";
}

/** From when on a feature's health alarms; absent ones have their defaults. */
export type AlarmThresholds = {
	/** Population stability index against launch, default 0.25. */
	readonly psi?: number;
	/** Share of decisions without a value, in [0, 1], default 0.2. */
	readonly missing?: number;
	/** Share of the values that are levels the definition does not list, in [0, 1], default 0.05. */
	readonly unseen?: number;
};

/** Where a feature's value comes from. */
export type ValueSource = "request" | "live" | "profile";
export type FeatureSource = ValueSource | "product";

interface FeatureBase {
	readonly name: string;
	readonly from: ValueSource;
	/** The consent purpose without which the value is absent everywhere. */
	readonly consent?: string;
	/** With `from: request`: the HTTP client hint that gives the value where the context does not. */
	readonly hint?: ClientHint;
	/**
	 * How it is encoded without a value. Absent: all its coordinates are 0. `mean`: as the declared `mean`. `indicator`: one more
	 * coordinate is 1 then, and 0 where there is a value.
	 */
	readonly missing?: "mean" | "indicator";
	/** No part of what is learned. */
	readonly alarm?: AlarmThresholds;
}

export interface NumberFeature extends FeatureBase {
	readonly kind: "number";
	readonly mean: number;
	readonly scale: number;
	/** Present when `from` is live. */
	readonly live?: LiveFeature;
}

/** A feature that has a value of its own. */
export type ValueFeature =
	| NumberFeature
	| (FeatureBase & {
			readonly kind: "boolean";
			/** Share of true; present with `missing: mean`, as in the kinds below. */
			readonly mean?: number;
	  })
	| (FeatureBase & {
			readonly kind: "cyclic";
			readonly period: number;
			readonly mean?: number;
	  })
	/** Hours since midnight where the unit is, in [0, 24): the request's own, or made of the decision's time and the request's zone. */
	| (FeatureBase & { readonly kind: "timeOfDay"; readonly mean?: number })
	| (FeatureBase & {
			readonly kind: "category";
			readonly levels: readonly string[];
			/** Share of each level; those left out have none. */
			readonly mean?: { readonly [level: string]: number };
	  })
	/** For rules only: validated and logged, never encoded. */
	| (FeatureBase & {
			readonly kind: "attribute";
			/** Absent: text. */
			readonly type?: "number";
			/** Of text; empty: any. */
			readonly values: readonly string[];
	  })
	| (FeatureBase & {
			readonly kind: "vector";
			readonly length: number;
			readonly mean?: readonly number[];
			/** Present when `from` is live. */
			readonly live?: LiveFeature;
	  });

/**
 * Each coordinate of one feature times each of another: what a linear policy needs to learn how they act together. It has no value:
 * it is missing where one of the two is, and so needs the consent of both.
 */
export interface ProductFeature {
	readonly kind: "product";
	readonly from: "product";
	/** `hour×device` where the definition gives none. */
	readonly name: string;
	/** Names of two features that have coordinates, declared before or after it. */
	readonly of: readonly [string, string];
	readonly consent?: undefined;
}

export type Feature = ValueFeature | ProductFeature;

export interface ContextSchema {
	/** First coordinate is 1. */
	readonly intercept: boolean;
	readonly features: readonly Feature[];
	/** How long a decision may wait for profile features; absent: 20. No part of what is learned. */
	readonly enrichBudgetMs?: number;
}

/** α, λ and ε as in Li et al. 2010, Alg. 1, with an exploration floor; kept for every kind since all kinds feed the same sums. */
interface PolicyBase {
	readonly ridge: number;
	readonly explore: number;
	readonly halfLifeMs?: number;
	readonly slidingWindowMs?: number;
}

/** α weighs the width: in the upper bound or, for Thompson sampling, as the sampled score's standard deviation α·width. */
interface WithAlpha extends PolicyBase {
	readonly alpha: number;
}

export type Policy =
	| (WithAlpha & { readonly kind: "linucb" })
	| (WithAlpha & { readonly kind: "hybrid-linucb" })
	| (WithAlpha & { readonly kind: "thompson" })
	| (PolicyBase & { readonly kind: "uniform" })
	| (PolicyBase & { readonly kind: "fixed"; readonly arm: string });

export interface OutcomeRule {
	readonly type: string;
	/** Absent: the event's own value is taken. */
	readonly value?: number;
	/** Counted from decidedAt; outside it the outcome earns nothing but proves exposure. */
	readonly withinMs?: number;
}

export interface Reward {
	/** When a decision teaches: once shown, always, or once shown and its window is closed. */
	readonly learn: "impression" | "decision" | "windowClose";
	readonly windowMs: number;
	readonly default: number;
	readonly combine: "sum" | "max" | "first" | "last";
	readonly range: readonly [number, number];
	readonly outcomes: readonly OutcomeRule[];
}

export interface Traffic {
	/** Share of units inside the experiment, in [0, 1]. */
	readonly share: number;
	/** Share of the inside units that are control, in [0, 1]. */
	readonly control: number;
	/** `uniform`, or the key of an arm. */
	readonly baseline: string;
}

/** For whom one decision stands: a repeated ask gets it again. */
export type Sticky = "session" | "unit";

/** A limit that the metric must keep to (`max`, `min`), or how much worse than control the policy may be (`versus`, `margin`). */
export interface Guardrail {
	readonly metric: string;
	readonly max?: number;
	readonly min?: number;
	readonly versus?: "control";
	/** In the metric's own unit, at least 0; absent with `versus`: 0. */
	readonly margin?: number;
	/** `control`: policy units keep their group and are served control's distribution. */
	readonly action: "alert" | "pause" | "control";
	/** A decision counts once so much time has passed since it; absent: the metric's own window. */
	readonly withinMs?: number;
	/** It does not act on fewer; absent: 100 each. */
	readonly firstLook?: {
		readonly decisions?: number;
		readonly units?: number;
	};
}

/** Instants at which it starts and stops by itself, milliseconds since the epoch; at least one of the two. */
export interface Schedule {
	readonly startAt?: number;
	readonly stopAt?: number;
}

export interface Experiment {
	readonly key: string;
	readonly name: string;
	readonly hypothesis: string;
	readonly owner: string;
	readonly arms: readonly Arm[];
	readonly context: ContextSchema;
	readonly policy: Policy;
	readonly reward: Reward;
	readonly traffic: Traffic;
	readonly guardrails: readonly Guardrail[];
	/** Absent: every ask is a new draw. */
	readonly sticky?: Sticky;
	/** What it is judged by; absent: reward, without a plan. */
	readonly metrics?: Metrics;
	/** Names of category or boolean features, whose levels are reported apart; absent: none. */
	readonly segments?: readonly string[];
	/** Name of a number feature of the profile, for CUPED. */
	readonly covariate?: string;
	readonly schedule?: Schedule;
}

export type ExperimentState = "draft" | "running" | "paused" | "stopped";

/** One immutable row of `experiment_definitions`: what a decision was decided under. */
export interface Definition {
	readonly id: number;
	readonly experiment: Experiment;
	readonly version: number;
	readonly state: ExperimentState;
	/** Grows with every start and resume. */
	readonly run: number;
	/**
	 * The run whose rollups its decisions are booked in: that of the analysis's start, since a listener who comes before a pause and after
	 * it is one observation.
	 */
	readonly bookedRun: number;
	/** Grows with every start of a draft or of what was stopped: what one is judged by is fixed at its start. */
	readonly analysis: number;
	/** Grows with every change of `traffic.control`. */
	readonly epoch: number;
	/** The arm named at the stop, if one was. */
	readonly winner: string | null;
	/** A guardrail holds policy units at control's distribution until a person resumes; true only while running. */
	readonly held: boolean;
	/** 64 hex characters, made at creation, kept for all versions, never returned by the API. */
	readonly salt: string;
	/** Width of a time bucket, fixed per version. */
	readonly bucketMs: number;
}

export type Group = "policy" | "control" | "outside";

export interface Problem {
	/** Path of what is wrong, such as `arms[1].key`; empty for the whole. */
	readonly path: string;
	/** What, and how to mend it. */
	readonly message: string;
}
export type Parsed<T> =
	| {
			readonly ok: true;
			readonly value: T;
			readonly warnings: readonly Problem[];
	  }
	| { readonly ok: false; readonly problems: readonly Problem[] };
