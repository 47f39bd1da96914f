import { armReasons } from "./arm-changes.js";
import { bucketMsFor } from "./bucket.js";
import { canonicalJson } from "./canonical-json.js";
import type { Experiment, JsonObject, JsonValue } from "./experiment.js";
import { isPlainObject, joinPath } from "./json-guard.js";
import { renderExperiment } from "./render-experiment.js";

export interface ExperimentDiff {
	/** One sentence per field that differs, such as `policy.alpha: 0.5 → 1`. */
	readonly changes: string[];
	/** What is learned changes (context, reward, bucket width): sums start anew. */
	readonly newVersion: boolean;
	/** `traffic.control` or `traffic.baseline` changes: comparisons across it would mix two controls. */
	readonly newEpoch: boolean;
	/** Why there is a new version or epoch, or how arms come and go. */
	readonly reasons: string[];
}

/**
 * What changes from one experiment to another.
 * @param backTo the former version that learned what `after` learns: it goes on, instead of a new one
 */
export function diffExperiment(
	before: Experiment,
	after: Experiment,
	backTo?: number,
): ExperimentDiff {
	const old = renderExperiment(before);
	const now = renderExperiment(after);
	const reasons: string[] = [];
	const say = (holds: boolean, reason: string) => {
		if (holds) reasons.push(reason);
		return holds;
	};
	const fate =
		backTo === undefined
			? "a new version learns from the start"
			: `version ${backTo} goes on with what it has learned`;
	const context = say(
		!same(encoded(old), encoded(now)),
		`The context changed, so x means something else: ${fate}.`,
	);
	const reward = say(
		!same(old.reward, now.reward),
		`The reward changed, so what is learned does: ${fate}.`,
	);
	const bucket = say(
		bucketMsFor(before.policy) !== bucketMsFor(after.policy),
		`The width of a time bucket changed with halfLife or slidingWindow: ${fate}.`,
	);
	const share = say(
		before.traffic.control !== after.traffic.control,
		"The control share changed: a new epoch, so that reports do not mix two allocations.",
	);
	const baseline = say(
		before.traffic.baseline !== after.traffic.baseline,
		"The baseline changed: a new epoch, so that the policy is compared with the baseline of its time.",
	);
	reasons.push(...armReasons(before, after));
	const changes: string[] = [];
	collect(old, now, "", changes);
	return {
		changes,
		newVersion: backTo === undefined && (context || reward || bucket),
		newEpoch: share || baseline,
		reasons,
	};
}

/** What x is made of: not how long a decision may wait for it, nor when its health alarms. */
function encoded({ context }: JsonObject): JsonObject {
	const { enrichBudgetMs: _, features, ...encoded } = context as JsonObject;
	const withoutAlarms = (features as readonly JsonObject[]).map(
		({ alarm: _, ...feature }) => feature,
	);
	return { ...encoded, features: withoutAlarms };
}

function same(
	before: JsonValue | undefined,
	after: JsonValue | undefined,
): boolean {
	return canonicalJson(before) === canonicalJson(after);
}

function collect(
	before: JsonValue | undefined,
	after: JsonValue | undefined,
	path: string,
	changes: string[],
): void {
	if (same(before, after)) return;
	if (before === undefined) changes.push(`${path} added: ${short(after)}`);
	else if (after === undefined)
		changes.push(`${path} removed: ${short(before)}`);
	else if (
		isPlainObject(before) &&
		isPlainObject(after) &&
		!path.endsWith("payload")
	)
		for (const key of union(Object.keys(before), Object.keys(after)))
			collect(
				(before as JsonObject)[key],
				(after as JsonObject)[key],
				joinPath(path, key),
				changes,
			);
	else if (
		Array.isArray(before) &&
		Array.isArray(after) &&
		identified(before) &&
		identified(after)
	)
		collectList(byIdentity(before), byIdentity(after), path, changes);
	else changes.push(`${path}: ${short(before)} → ${short(after)}`);
}

/** Lists of arms, features and outcomes are compared by their keys, and their order apart. */
function collectList(
	before: Map<string, JsonValue>,
	after: Map<string, JsonValue>,
	path: string,
	changes: string[],
): void {
	for (const key of union([...before.keys()], [...after.keys()]))
		collect(before.get(key), after.get(key), `${path}[${key}]`, changes);
	const kept = (from: Map<string, JsonValue>, other: Map<string, JsonValue>) =>
		[...from.keys()].filter((key) => other.has(key)).join(", ");
	const order = kept(after, before);
	if (kept(before, after) !== order)
		changes.push(`${path}: the order is now ${order.slice(0, 200)}`);
}

function identityOf(item: JsonValue): string | null {
	if (!isPlainObject(item)) return null;
	const identity = item.key ?? item.name ?? item.type ?? item.metric;
	return typeof identity === "string" ? identity : null;
}

function identified(items: readonly JsonValue[]): boolean {
	const identities = items.map(identityOf);
	return (
		!identities.includes(null) && new Set(identities).size === identities.length
	);
}

function byIdentity(items: readonly JsonValue[]): Map<string, JsonValue> {
	return new Map(items.map((item) => [identityOf(item) ?? "", item]));
}

function union(a: readonly string[], b: readonly string[]): string[] {
	return [...new Set([...a, ...b])];
}

function short(value: JsonValue | undefined): string {
	const text = typeof value === "string" ? value : JSON.stringify(value);
	return text.length <= 120 ? text : `${text.slice(0, 120)}…`;
}
