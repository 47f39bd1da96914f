import type {
	ContextSchema,
	JsonObject,
	JsonValue,
	Problem,
} from "#core/experiment";
import {
	type CompiledFeature,
	compileFeature,
	givenValue,
	hasValue,
	typeProblem,
} from "./feature.js";

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

/** Reads a request's `context`: every value of a wrong type is a problem with its path; undeclared names are dropped and named. */
export function compileParser({
	features,
}: ContextSchema): (raw: unknown) => ParsedContext {
	const declared = features
		.filter(hasValue)
		.filter(({ from }) => from === "request")
		.map(compileFeature);
	return (raw) => {
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
		return parse(declared, raw as Sent);
	};
}

type Sent = { readonly [name: string]: JsonValue | undefined };

function parse(
	declared: readonly CompiledFeature[],
	sent: Sent,
): ParsedContext {
	const problems: Problem[] = [];
	/** Declared names that were sent, null included, and those that have a value: where both are all, nothing is dropped. */
	let known = 0;
	let present = 0;
	for (let i = 0; i < declared.length; i++) {
		const feature = declared[i] as CompiledFeature;
		const value = givenValue(sent, feature);
		if (value === undefined) continue;
		known++;
		if (value === null) continue;
		present++;
		const problem = typeProblem(feature, value);
		if (problem !== null)
			problems.push({
				path: `context.${feature.name}`,
				message: `${feature.name} ${problem}.`,
			});
	}
	if (problems.length > 0) return { ok: false, problems };
	const names = Object.keys(sent);
	// As it was sent: a copy of it took as long as all the rest.
	if (present === names.length)
		return { ok: true, values: sent as JsonObject, ignored: [] };
	return {
		ok: true,
		values: presentValues(declared, sent),
		ignored: names.length === known ? [] : ignoredOf(names, declared),
	};
}

function presentValues(
	declared: readonly CompiledFeature[],
	sent: Sent,
): JsonObject {
	const values: { [name: string]: JsonValue } = {};
	for (const feature of declared) {
		const value = givenValue(sent, feature) ?? null;
		if (value !== null) values[feature.name] = value;
	}
	return values;
}

function ignoredOf(
	names: readonly string[],
	features: readonly CompiledFeature[],
): string[] {
	const declared = new Set(features.map(({ name }) => name));
	return names
		.filter((name) => !declared.has(name))
		.slice(0, MOST_IGNORED)
		.map((name) => name.slice(0, MOST_NAME));
}
