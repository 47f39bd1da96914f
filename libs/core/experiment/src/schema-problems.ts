import { z } from "zod";
import type { Problem } from "./experiment.js";
import { isPlainObject, joinPath } from "./json-guard.js";
import { unknownKeyMessage } from "./nearest-key.js";

/** Every way in which `raw` differs from the schema, as sentences with paths; none when it conforms. */
export function schemaProblems(
	schema: z.ZodType,
	raw: unknown,
	path = "",
): Problem[] {
	const result = schema.safeParse(raw, { reportInput: true });
	if (result.success) return [];
	return result.error.issues.flatMap((issue) => {
		const at = issue.path.reduce<string>(
			(parent, key) =>
				joinPath(parent, typeof key === "number" ? key : String(key)),
			path,
		);
		if (issue.code === "unrecognized_keys") {
			const known = knownKeys(schema, raw, issue.path);
			return issue.keys.map((key) => ({
				path: joinPath(at, key),
				message: unknownKeyMessage(key, known),
			}));
		}
		return [{ path: at, message: sentence(issue) }];
	});
}

function sentence(issue: z.core.$ZodIssue): string {
	if (issue.input === undefined) return "Required, but missing.";
	switch (issue.code) {
		case "invalid_type":
			return issue.message.startsWith("Invalid input")
				? `Must be ${article(issue.expected)}, not ${describe(issue.input)}.`
				: issue.message;
		case "invalid_value":
			if (!issue.message.startsWith("Invalid")) return issue.message;
			return `Must be ${issue.values.length > 1 ? "one of " : ""}${issue.values.join(", ")}, not ${describe(issue.input)}.`;
		case "too_small":
			if (!issue.message.startsWith("Too small")) return issue.message;
			return `Must ${verb(issue.origin)} ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}${unit(issue.origin)}.`;
		case "too_big":
			return `Must ${verb(issue.origin)} ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}${unit(issue.origin)}.`;
		case "invalid_union":
			return unionSentence(issue);
		default:
			return issue.message;
	}
}

/** No member of a union has this discriminator, such as `kind`. */
function unionSentence(issue: z.core.$ZodIssueInvalidUnion): string {
	const { discriminator = "", input } = issue;
	const chosen: unknown = isPlainObject(input) ? input[discriminator] : input;
	const options =
		"options" in issue && Array.isArray(issue.options) ? issue.options : [];
	return chosen === undefined
		? `Required, but missing: one of ${options.join(", ")}.`
		: `Must be one of ${options.join(", ")}, not ${describe(chosen)}.`;
}

function verb(origin: string): string {
	return origin === "string" || origin === "array" ? "have" : "be";
}

function unit(origin: string): string {
	if (origin === "string") return " characters";
	return origin === "array" ? " items" : "";
}

function article(expected: string): string {
	const names: Record<string, string> = {
		int: "a whole number",
		array: "a list",
		tuple: "a list",
		record: "an object",
		string: "text",
	};
	return (
		names[expected] ??
		(/^[aeiou]/.test(expected) ? `an ${expected}` : `a ${expected}`)
	);
}

function describe(input: unknown): string {
	if (Array.isArray(input)) return "a list";
	if (typeof input === "object" && input !== null) return "an object";
	return typeof input === "string"
		? JSON.stringify(input.slice(0, 64))
		: String(input);
}

/** The keys an object at `path` may have: walks schema and value together, since a union's member is chosen by the value. */
function knownKeys(
	schema: z.ZodType,
	raw: unknown,
	path: readonly PropertyKey[],
): string[] {
	const here = memberOf(schema, raw);
	const [key, ...rest] = path;
	const child: unknown =
		key === undefined ? raw : (raw as Record<PropertyKey, unknown>)[key];
	if (here instanceof z.ZodArray)
		return knownKeys(here.element as z.ZodType, child, rest);
	if (here instanceof z.ZodRecord)
		return knownKeys(here.valueType as z.ZodType, child, rest);
	if (!(here instanceof z.ZodObject)) return [];
	return key === undefined
		? Object.keys(here.shape)
		: knownKeys(here.shape[String(key)] as z.ZodType, child, rest);
}

function memberOf(schema: z.ZodType, raw: unknown): z.ZodType {
	if (schema instanceof z.ZodOptional)
		return memberOf(schema.unwrap() as z.ZodType, raw);
	if (!(schema instanceof z.ZodDiscriminatedUnion) || !isPlainObject(raw))
		return schema;
	const { discriminator } = schema.def;
	const member = schema.options.find(
		(option) =>
			option instanceof z.ZodObject &&
			option.shape[discriminator]?.safeParse(raw[discriminator]).success ===
				true,
	);
	return (member as z.ZodType | undefined) ?? schema;
}
