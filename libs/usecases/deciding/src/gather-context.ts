import { applyConsent, parseContext } from "#core/context";
import type { ContextSchema, JsonObject, JsonValue } from "#core/experiment";
import { fail } from "#usecases/errors";
import type { LiveContext } from "./ports.js";

export interface GatheredContext {
	/** Declared values the unit allows: what is encoded, judged by rules, and logged. */
	readonly values: JsonObject;
	/** Names the definition does not declare: dropped. */
	readonly ignored: readonly string[];
	readonly degraded: readonly "live"[];
}

/** Validates the request's features, adds live ones, removes what the unit has not allowed. Throws `invalid` with paths. */
export function gatherContext(
	schema: ContextSchema,
	raw: unknown,
	unit: string,
	now: number,
	live: LiveContext,
): GatheredContext {
	const request = parseContext(schema, raw ?? {});
	if (!request.ok) {
		const [first] = request.problems;
		throw fail(
			"invalid",
			`The context does not fit the experiment: ${first?.path}: ${first?.message}`,
			request.problems,
		);
	}
	const counts = countLive(schema, unit, now, live);
	const all =
		counts === NONE ? request.values : { ...request.values, ...counts };
	const consented = applyConsent(schema, all, null);
	return {
		values: consented.values,
		ignored: request.ignored,
		degraded: counts === null ? ["live"] : [],
	};
}

/** What an experiment without live features counts. */
const NONE: Readonly<Record<string, JsonValue>> = Object.freeze({});

/** Live features by name; null where there are some and the windows are not ready. */
function countLive(
	schema: ContextSchema,
	unit: string,
	now: number,
	live: LiveContext,
): Readonly<Record<string, JsonValue>> | null {
	let counts: Record<string, JsonValue> | null = null;
	for (const feature of schema.features) {
		if (feature.kind !== "number" || feature.live === undefined) continue;
		if (!live.ready) return null;
		counts ??= {};
		counts[feature.name] = live.count(
			unit,
			feature.live.event,
			feature.live.windowMs,
			now,
		);
	}
	return counts ?? NONE;
}
