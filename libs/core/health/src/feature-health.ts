import type { AlarmThresholds, Feature } from "#core/experiment";
import type { ContextCounts, FeatureCounts } from "./context-counts.js";
import type { FeatureLaunch, Launch } from "./launch.js";
import { MISSING_REASONS, type MissingReason } from "./observed-decision.js";
import { stabilityIndex, sum, valuesNeeded } from "./stability-index.js";
import { verdictOf } from "./verdict.js";

export const ALARM_KINDS = ["psi", "missing", "unseen", "skew"] as const;
export type AlarmKind = (typeof ALARM_KINDS)[number];

/** Where the definition says nothing. */
export const DEFAULT_ALARMS: Required<AlarmThresholds> = {
	psi: 0.25,
	missing: 0.2,
	unseen: 0.05,
};

/** Decisions from which on a share can alarm: of fewer, one or two make it. */
export const LEAST_DECISIONS = 100;

/** How one feature does in a window of time, against its launch. Shares are in [0, 1]; null: it cannot be told. */
export interface FeatureHealth {
	readonly feature: string;
	readonly kind: Feature["kind"];
	readonly from: Feature["from"];
	/** Drift: of a vector that of the number that moved most. */
	readonly psi: number | null;
	/** Which number of a vector that is. */
	readonly coordinate: number | null;
	readonly missing: {
		/** Of the decisions. */
		readonly share: number | null;
		/** What it was at launch. */
		readonly launchShare: number | null;
		/** Decisions by reason; those that there are. */
		readonly reasons: { readonly [R in MissingReason]?: number };
	};
	/** Of the values, those that are no declared level; null where the feature has none. */
	readonly unseen: {
		readonly share: number;
		readonly values: number;
	} | null;
	readonly skew: {
		/** Decisions whose x was made again from their logged context. */
		readonly checked: number;
		/** Of those, where it differs from the logged x. */
		readonly share: number | null;
		/** The largest difference of a coordinate. */
		readonly largest: number;
	};
	/** Above which each alarms; skew above none at all. */
	readonly thresholds: Required<AlarmThresholds>;
	readonly alarms: readonly AlarmKind[];
	/** In words. */
	readonly verdict: string;
}

/** Of each feature, in the order of the definition. */
export function judgeContext(
	features: readonly Feature[],
	launch: Launch | null,
	counts: ContextCounts | null,
): readonly FeatureHealth[] {
	return features.map((feature, i) =>
		judgeFeature(feature, {
			launch: launch?.features[i] ?? null,
			launched: launch?.decisions ?? 0,
			counts: counts?.features[i] ?? null,
			decisions: counts?.decisions ?? 0,
			remade: counts?.remade ?? 0,
		}),
	);
}

interface Observed {
	readonly launch: FeatureLaunch | null;
	/** Decisions of the launch. */
	readonly launched: number;
	readonly counts: FeatureCounts | null;
	readonly decisions: number;
	readonly remade: number;
}

function judgeFeature(feature: Feature, observed: Observed): FeatureHealth {
	const { launch, launched, counts, decisions, remade } = observed;
	const { name, kind, from } = feature;
	const thresholds = {
		...DEFAULT_ALARMS,
		...(feature.kind === "product" ? {} : feature.alarm),
	};
	const without = sum(counts?.missing ?? []);
	const values = decisions - without;
	const unseen = counts?.unseen ?? 0;
	const measured = {
		feature: name,
		kind,
		from,
		...drift(launch, counts),
		missing: {
			share: share(without, decisions),
			launchShare: launch && share(launched - launch.values, launched),
			reasons: reasonsOf(counts),
		},
		unseen:
			kind === "category"
				? { share: share(unseen, values) ?? 0, values }
				: null,
		skew: {
			checked: remade,
			share: share(counts?.differing ?? 0, remade),
			largest: counts?.largest ?? 0,
		},
		thresholds,
	};
	const alarms = alarmsOf(measured, decisions);
	const enough = launch && {
		launch: launch.values,
		now: values,
		needed: neededNow(launch),
		comparable: launch.parts.length > 0,
		hasBins: launch.parts.some((part) => part !== null),
	};
	const judged = { ...measured, alarms };
	return { ...judged, verdict: verdictOf(judged, enough, decisions) };
}

/** The index of the part that moved most; null where launch or now has too few values. */
function drift(
	launch: FeatureLaunch | null,
	counts: FeatureCounts | null,
): Pick<FeatureHealth, "psi" | "coordinate"> {
	let psi: number | null = null;
	let coordinate: number | null = null;
	for (const [i, part] of (launch?.parts ?? []).entries()) {
		const now = counts?.bins[i] ?? [];
		if (part === null || sum(now) < valuesNeeded(part.counts.length)) continue;
		const index = stabilityIndex(part.counts, now);
		if (psi !== null && index <= psi) continue;
		psi = index;
		coordinate = i;
	}
	const isVector = (launch?.parts.length ?? 0) > 1;
	return { psi, coordinate: isVector ? coordinate : null };
}

function neededNow({ parts }: FeatureLaunch): number {
	const bins = parts.flatMap((part) => part?.counts.length ?? []);
	return bins.length === 0 ? 0 : valuesNeeded(Math.min(...bins));
}

function reasonsOf(
	counts: FeatureCounts | null,
): FeatureHealth["missing"]["reasons"] {
	return Object.fromEntries(
		MISSING_REASONS.map(
			(reason, i) => [reason, counts?.missing[i] ?? 0] as const,
		).filter(([, count]) => count > 0),
	);
}

/** A share alarms above its threshold, not at it; one difference between trained and served x is one too many. */
function alarmsOf(
	{
		psi,
		missing,
		unseen,
		skew,
		thresholds,
	}: Pick<FeatureHealth, "psi" | "missing" | "unseen" | "skew" | "thresholds">,
	decisions: number,
): AlarmKind[] {
	const alarms: AlarmKind[] = [];
	const isMany = decisions >= LEAST_DECISIONS;
	if (psi !== null && psi > thresholds.psi) alarms.push("psi");
	if (isMany && (missing.share ?? 0) > thresholds.missing)
		alarms.push("missing");
	if (
		unseen !== null &&
		unseen.values >= LEAST_DECISIONS &&
		unseen.share > thresholds.unseen
	)
		alarms.push("unseen");
	if ((skew.share ?? 0) > 0) alarms.push("skew");
	return alarms;
}

function share(part: number, of: number): number | null {
	return of === 0 ? null : part / of;
}
