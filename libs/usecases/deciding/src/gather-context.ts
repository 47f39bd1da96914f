import {
	type CompiledFeature,
	compileFeature,
	givenValue,
	hasValue,
	typeProblem,
	withhold,
} from "#core/context";
import {
	type ContextSchema,
	type FeatureOfEvents,
	isLive,
	type JsonObject,
	type JsonValue,
} from "#core/experiment";
import type { LiveAsk } from "#core/live";
import type { LiveContext } from "./ports.js";
import { type RequestContext, withHours } from "./read-context.js";
import { ALL_ABSENT, type Reasons, type WhyMissing } from "./why-missing.js";

export interface GatheredContext {
	/** Declared values the unit allows: what is encoded, judged by rules, and logged. */
	readonly values: JsonObject;
	/** Names the definition does not declare: dropped. */
	readonly ignored: readonly string[];
	readonly degraded: readonly ("live" | "profile")[];
	readonly reasons: Reasons;
}

/** How the context of a definition is gathered, all of it or what a ruling allows. */
export interface Gathering {
	readonly gather: GatherContext;
	/** Whether a unit's profile is needed: one that no consent allows is not fetched. */
	readonly needsProfile: boolean;
}

/**
 * Adds live and profile features to a request's, whose values it takes over, and removes what the unit has not allowed. The profile is
 * null where it was not had in time. `since` is when the unit's stored consent began to stand, for live features that need one.
 */
export type GatherContext = (
	request: RequestContext,
	ask: LiveAsk,
	now: number,
	live: LiveContext,
	profile: JsonObject | null,
	since?: number,
) => GatheredContext;

const LIVE_IS_AWAY = Object.freeze(["live"] as const);
const PROFILE_IS_AWAY = Object.freeze(["profile"] as const);
const BOTH_ARE_AWAY = Object.freeze(["live", "profile"] as const);
const NOTHING = Object.freeze([] as const);

/**
 * @param withheld features that must not be used, and why each is missing then
 * @param gates of features, keys by name, whose events must have been allowed
 */
export function compileGathering(
	schema: ContextSchema,
	withheld: Reasons = ALL_ABSENT,
	gates: ReadonlyMap<string, string> = new Map(),
): Gathering {
	const names = new Set(Object.keys(withheld));
	const features = schema.features
		.filter(hasValue)
		.filter(({ name }) => !names.has(name));
	const made = features.filter(isLive).map((feature) => ({
		...feature,
		gate: gates.get(feature.name),
	}));
	const timed = features.filter(({ kind }) => kind === "timeOfDay");
	const profiled = features
		.filter(({ from }) => from === "profile")
		.map(compileFeature);
	const gather: GatherContext = (request, ask, now, live, profile, since) => {
		let values =
			timed.length === 0 ? request.values : withHours(request, timed, now);
		let reasons = withheld;
		if (names.size > 0) values = withhold(values, names);
		const isProfileAway = profiled.length > 0 && profile === null;
		if (isProfileAway)
			reasons = because("over budget", profiled.map(nameOf), reasons);
		let isLiveAway = false;
		if (made.length > 0 || profiled.length > 0) {
			// Into the request's own object: to copy it first took as long as all the rest.
			const all = values as { [name: string]: JsonValue };
			if (profile !== null) addProfile(all, profiled, profile);
			const untold = addLive(all, made, ask, now, live, since);
			if (untold !== null) {
				isLiveAway = true;
				reasons = because("out of date", untold, reasons);
			}
		}
		const degraded = degradedBy(isLiveAway, isProfileAway);
		return { values, ignored: request.ignored, degraded, reasons };
	};
	return { gather, needsProfile: profiled.length > 0 };
}

const nameOf = ({ name }: CompiledFeature): string => name;

function because(
	why: WhyMissing,
	names: readonly string[],
	before: Reasons,
): Reasons {
	if (names.length === 0) return before;
	return { ...before, ...Object.fromEntries(names.map((name) => [name, why])) };
}

function degradedBy(
	isLiveAway: boolean,
	isProfileAway: boolean,
): GatheredContext["degraded"] {
	if (isLiveAway) return isProfileAway ? BOTH_ARE_AWAY : LIVE_IS_AWAY;
	return isProfileAway ? PROFILE_IS_AWAY : NOTHING;
}

/** Adds what there is of the features to the values. Returns the names of those that cannot be told now; null where all can. */
function addLive(
	values: { [name: string]: JsonValue },
	features: readonly (FeatureOfEvents & {
		readonly gate: string | undefined;
	})[],
	ask: LiveAsk,
	now: number,
	context: LiveContext,
	since = 0,
): string[] | null {
	let untold: string[] | null = null;
	for (const { name, live, gate } of features) {
		const whose =
			live.item === undefined ? ask : byItem(ask, values[live.item]);
		const value =
			gate === undefined
				? context.read(live, whose, now)
				: context.read(live, whose, now, { gate, since });
		if (value === undefined) {
			untold ??= [];
			untold.push(name);
		} else if (value !== null) values[name] = value;
	}
	return untold;
}

function byItem(
	{ unit, session, experiment }: LiveAsk,
	item: JsonValue | undefined,
): LiveAsk {
	return typeof item === "string"
		? { unit, session, experiment, item }
		: { unit, session, experiment };
}

/** Adds what fits this experiment: another one may declare the name with another type. */
function addProfile(
	values: { [name: string]: JsonValue },
	features: readonly CompiledFeature[],
	profile: JsonObject,
): void {
	for (let i = 0; i < features.length; i++) {
		const feature = features[i] as CompiledFeature;
		const value = givenValue(profile, feature);
		if (value !== undefined && typeProblem(feature, value) === null)
			values[feature.name] = value;
	}
}
