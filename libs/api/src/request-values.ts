import { z } from "zod";
import { EXPERIMENT_KEY, schemaProblems } from "#core/experiment";
import { fail } from "#usecases/errors";

/** A body that must be there. */
export function required(body: unknown): unknown {
	if (body !== undefined) return body;
	const message =
		"The request needs a JSON body. Send one with `content-type: application/json`.";
	throw fail("not-json", message, [{ path: "", message }]);
}

/** A key of a path; one that no experiment can have is unknown, without asking anybody. */
export function experimentKey(key: string): string {
	if (EXPERIMENT_KEY.test(key)) return key;
	throw fail(
		"unknown-experiment",
		`There is no experiment ${JSON.stringify(key.slice(0, 64))}: a key is up to 64 lower-case letters, digits and '-'.`,
	);
}

export const transitionSchema = z.strictObject({
	why: z
		.string()
		.max(2_000)
		.regex(/^\P{Cs}*$/u, "Holds half of a surrogate pair; remove it.")
		.regex(/^[^\0]*$/, "Holds a NUL; remove it.")
		.optional()
		.describe("Why, for the audit."),
});

export const stopSchema = transitionSchema.extend({
	winner: z
		.string()
		.max(64)
		.nullable()
		.optional()
		.describe(
			"The arm that everyone gets from now on; absent: the baseline arm.",
		),
});

/** The body of an action; none is as good as an empty one. */
export function actionBody<S extends z.ZodObject>(
	schema: S,
	body: unknown,
): z.output<S> {
	return checked(schema, body ?? {}, "The body");
}

/** Throws invalid with every problem's path. */
export function checked<S extends z.ZodType>(
	schema: S,
	raw: unknown,
	what: string,
): z.output<S> {
	const problems = schemaProblems(schema, raw);
	if (problems.length === 0) return schema.parse(raw);
	const said = problems
		.slice(0, 5)
		.map(({ path, message }) =>
			path === "" ? message : `${path}: ${message}`,
		);
	throw fail("invalid", `${what} cannot be read: ${said.join(" ")}`, problems);
}

/** A query parameter that may be given once. */
export function once(name: string, value: unknown): string | undefined {
	if (value === undefined || typeof value === "string") return value;
	const message = "Give it once.";
	throw fail(
		"invalid",
		`The query parameter ${name} is given more than once.`,
		[{ path: name, message }],
	);
}

/** A query parameter with few values. */
export function oneOf<const T extends string>(
	name: string,
	value: unknown,
	allowed: readonly T[],
	absent: T,
): T {
	const given = once(name, value) ?? absent;
	const found = allowed.find((one) => one === given);
	if (found !== undefined) return found;
	const message = `Must be ${allowed.join(" or ")}, not ${JSON.stringify(given.slice(0, 64))}.`;
	throw fail(
		"invalid",
		`The query parameter ${name} cannot be taken: ${message}`,
		[{ path: name, message }],
	);
}

/** A query parameter that is a whole number. */
export function wholeNumber(
	name: string,
	value: unknown,
	[least, most]: readonly [number, number],
	absent: number,
): number {
	const given = once(name, value);
	if (given === undefined) return absent;
	const number = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN;
	if (number >= least && number <= most) return number;
	const message = `Must be a whole number from ${least} to ${most}, not ${JSON.stringify(given.slice(0, 64))}.`;
	throw fail(
		"invalid",
		`The query parameter ${name} cannot be taken: ${message}`,
		[{ path: name, message }],
	);
}
