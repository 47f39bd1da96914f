import type { ContextSchema, JsonObject, JsonValue } from "#core/experiment";

/**
 * Removes every feature whose consent purpose the unit has not given, before encoding and logging.
 * `withheld` names all features that lack consent, whether or not a value was there, so that none is fetched for nothing.
 */
export function applyConsent(
	schema: ContextSchema,
	values: JsonObject,
	consent: { readonly [purpose: string]: boolean } | null,
): { values: JsonObject; withheld: string[] } {
	const given = (purpose: string) => consent?.[purpose] === true;
	const withheld = schema.features
		.filter(
			(feature) => feature.consent !== undefined && !given(feature.consent),
		)
		.map((feature) => feature.name);
	if (withheld.length === 0) return { values, withheld };
	const kept: { [name: string]: JsonValue } = {};
	for (const [name, value] of Object.entries(values))
		if (!withheld.includes(name)) kept[name] = value;
	return { values: kept, withheld };
}

/** Whether any feature needs one, which few schemas have. */
export function asksConsent({ features }: ContextSchema): boolean {
	return features.some(({ consent }) => consent !== undefined);
}
