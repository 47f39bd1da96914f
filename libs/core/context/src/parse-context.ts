import type {
	ContextSchema,
	JsonObject,
	JsonValue,
	Problem,
} from "#core/experiment";
import { typeProblem } from "./feature.js";

export type ParsedContext =
	| {
			readonly ok: true;
			/** Values of declared request features only; null counts as absent. */
			readonly values: JsonObject;
			/** Names that are not declared, or that the request may not set (live, profile); dropped before anything is logged. */
			readonly ignored: string[];
	  }
	| { readonly ok: false; readonly problems: Problem[] };

/** How many dropped names an answer repeats, and how long each may be. */
const MOST_IGNORED = 100;
const MOST_NAME = 64;

/** A request's `context`: every value of a wrong type is a problem with its path; undeclared names are dropped and named. */
export function parseContext(
	schema: ContextSchema,
	raw: unknown,
): ParsedContext {
	if (raw === undefined || raw === null)
		return { ok: true, values: {}, ignored: [] };
	if (typeof raw !== "object" || Array.isArray(raw))
		return {
			ok: false,
			problems: [
				{
					path: "context",
					message: "context must be an object of feature values.",
				},
			],
		};

	const sent = raw as { readonly [name: string]: JsonValue | undefined };
	const values: { [name: string]: JsonValue } = {};
	const problems: Problem[] = [];
	/** Declared names that were sent, null included: where they are all, none is ignored. */
	let known = 0;
	for (const feature of schema.features) {
		if (feature.from !== "request") continue;
		const { name } = feature;
		const value = Object.hasOwn(sent, name) ? sent[name] : undefined;
		if (value === undefined) continue;
		known++;
		if (value === null) continue;
		const problem = typeProblem(feature, value);
		if (problem !== null)
			problems.push({
				path: `context.${name}`,
				message: `${name} ${problem}.`,
			});
		else values[name] = value;
	}
	if (problems.length > 0) return { ok: false, problems };
	const names = Object.keys(sent);
	return {
		ok: true,
		values,
		ignored: names.length === known ? [] : ignoredOf(names, schema),
	};
}

function ignoredOf(names: readonly string[], schema: ContextSchema): string[] {
	const declared = new Set(
		schema.features
			.filter(({ from }) => from === "request")
			.map(({ name }) => name),
	);
	return names
		.filter((name) => !declared.has(name))
		.slice(0, MOST_IGNORED)
		.map((name) => name.slice(0, MOST_NAME));
}
