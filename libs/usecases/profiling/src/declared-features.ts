import { typeProblem } from "#core/context";
import {
	type JsonObject,
	type JsonValue,
	nearestKey,
	type Problem,
	type ValueFeature,
} from "#core/experiment";
import type { DeclaringDefinitions } from "./ports.js";

type Declared = ReadonlyMap<string, readonly ValueFeature[]>;

/** Most that are told of at once. */
const MOST_PROBLEMS = 100;
const MOST_NAMED = 20;

/** The profile features of every experiment, whatever its state; several may declare one name. */
export function declaredFeatures(definitions: DeclaringDefinitions): Declared {
	const declared = new Map<string, ValueFeature[]>();
	for (const { experiment } of definitions.all())
		for (const feature of experiment.context.features) {
			if (feature.from !== "profile") continue;
			const others = declared.get(feature.name);
			if (others === undefined) declared.set(feature.name, [feature]);
			else others.push(feature);
		}
	return declared;
}

/**
 * What must not be stored of a profile: names that nobody declared, values that fit no declaration, free text. Where experiments
 * declare a name with different types, it is enough to fit one; for the others it is missing.
 */
export function profileProblems(
	values: JsonObject,
	declared: Declared,
): Problem[] {
	const problems: Problem[] = [];
	for (const [name, value] of Object.entries(values)) {
		if (problems.length === MOST_PROBLEMS) break;
		const features = declared.get(name);
		const message =
			features === undefined
				? undeclared(name, [...declared.keys()])
				: misfit(name, value, features);
		if (message !== null) problems.push({ path: name.slice(0, 64), message });
	}
	return problems;
}

function undeclared(name: string, known: readonly string[]): string {
	const near = nearestKey(name, known);
	const shown = JSON.stringify(name.slice(0, 64));
	if (near !== null)
		return `No experiment declares ${shown} with from: profile. Did you mean ${JSON.stringify(near)}?`;
	const named = known.slice(0, MOST_NAMED).join(", ");
	return known.length === 0
		? `No experiment declares ${shown}, or any other feature with from: profile. Put the experiment first.`
		: `No experiment declares ${shown} with from: profile. Declared are ${named}${known.length > MOST_NAMED ? ", …" : ""}.`;
}

/** Null where the value fits one of the features of the name. */
function misfit(
	name: string,
	value: JsonValue,
	features: readonly ValueFeature[],
): string | null {
	const wrong = features.map((feature) => problemOf(feature, value));
	return wrong.includes(null) ? null : `${name} ${wrong[0]}.`;
}

/** As the end of a sentence. Text is taken only where the definition lists it. */
function problemOf(feature: ValueFeature, value: JsonValue): string | null {
	const isText =
		feature.kind === "category" ||
		(feature.kind === "attribute" && feature.type !== "number");
	if (!isText) return typeProblem(feature, value);
	const listed = feature.kind === "category" ? feature.levels : feature.values;
	if (listed.length === 0)
		return "is declared without values, and free text is not stored: list its values in the definition";
	if (typeof value === "string" && listed.includes(value)) return null;
	const shown =
		typeof value === "string"
			? JSON.stringify(value.slice(0, 64))
			: "a value of another type";
	return `must be one of ${listed.slice(0, MOST_NAMED).join(", ")}, not ${shown}`;
}
