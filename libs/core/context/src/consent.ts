import type { JsonObject, JsonValue } from "#core/experiment";

/** The values without those of some features, before anything is encoded, judged or logged. */
export function withhold(
	values: JsonObject,
	names: ReadonlySet<string>,
): JsonObject {
	const kept: { [name: string]: JsonValue } = {};
	for (const [name, value] of Object.entries(values))
		if (!names.has(name)) kept[name] = value;
	return kept;
}
