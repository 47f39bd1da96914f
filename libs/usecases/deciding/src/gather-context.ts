import { applyConsent, asksConsent, compileParser } from "#core/context";
import type {
	ContextSchema,
	Feature,
	JsonObject,
	JsonValue,
	NumberFeature,
	Problem,
} from "#core/experiment";
import { fail } from "#usecases/errors";
import type { LiveContext } from "./ports.js";

export interface GatheredContext {
	/** Declared values the unit allows: what is encoded, judged by rules, and logged. */
	readonly values: JsonObject;
	/** Names the definition does not declare: dropped. */
	readonly ignored: readonly string[];
	readonly degraded: readonly "live"[];
}

/** Validates a request's features, adds live ones, removes what the unit has not allowed. Throws `invalid` with paths. */
export type GatherContext = (
	raw: unknown,
	unit: string,
	now: number,
	live: LiveContext,
) => GatheredContext;

const LIVE_IS_AWAY = Object.freeze(["live"] as const);
const NOTHING = Object.freeze([] as const);

export function compileGathering(schema: ContextSchema): GatherContext {
	const parse = compileParser(schema);
	const counted = schema.features.filter(isCounted);
	const mayWithhold = asksConsent(schema);
	return (raw, unit, now, live) => {
		const request = parse(raw ?? {});
		if (!request.ok) throw doesNotFit(request.problems);
		let { values } = request;
		const isAway = counted.length > 0 && !live.ready;
		if (counted.length > 0 && !isAway)
			values = { ...values, ...countsOf(counted, unit, now, live) };
		if (mayWithhold) ({ values } = applyConsent(schema, values, null));
		const degraded = isAway ? LIVE_IS_AWAY : NOTHING;
		return { values, ignored: request.ignored, degraded };
	};
}

function doesNotFit(problems: readonly Problem[]): Error {
	const [first] = problems;
	return fail(
		"invalid",
		`The context does not fit the experiment: ${first?.path}: ${first?.message}`,
		problems,
	);
}

type CountedFeature = NumberFeature & Required<Pick<NumberFeature, "live">>;

function isCounted(feature: Feature): feature is CountedFeature {
	return feature.kind === "number" && feature.live !== undefined;
}

function countsOf(
	features: readonly CountedFeature[],
	unit: string,
	now: number,
	live: LiveContext,
): Readonly<Record<string, JsonValue>> {
	const counts: Record<string, JsonValue> = {};
	for (const { name, live: counted } of features)
		counts[name] = live.count(unit, counted.event, counted.windowMs, now);
	return counts;
}
