import { compileFeature, compileParser, hasValue } from "#core/context";
import {
	type ContextSchema,
	type Feature,
	isPlainObject,
	type JsonObject,
	type JsonValue,
	type Problem,
	TIME_ZONE,
} from "#core/experiment";
import { fail } from "#usecases/errors";
import { type Hinted, type RequestHeaders, withHints } from "./client-hints.js";
import { readTimeZone, type TimeZone } from "./time-zone.js";

/** A request's own features. */
export interface RequestContext {
	/** The decision's own, to be added to. */
	readonly values: JsonObject;
	/** Names the definition does not declare: dropped. */
	readonly ignored: readonly string[];
	/** Where the unit is; given where a time of day is to be made of it. */
	readonly zone?: TimeZone | null;
}

/** Validates a request's features, and adds what its headers say of others. Throws `invalid` with paths. */
export type ReadContext = (
	raw: unknown,
	headers?: RequestHeaders | null,
) => RequestContext;

export function compileReading(schema: ContextSchema): ReadContext {
	const read = compileWithZone(schema);
	const hinted = schema.features
		.filter(hasValue)
		.map(compileFeature)
		.filter((feature): feature is Hinted => feature.hint !== undefined);
	if (hinted.length === 0) return read;
	return (raw, headers) => {
		const request = read(raw);
		if (headers === undefined || headers === null) return request;
		const values = withHints(request.values, hinted, headers);
		return { ...request, values };
	};
}

function compileWithZone(
	schema: ContextSchema,
): (raw: unknown) => RequestContext {
	const parse = compileParser(schema);
	const read = (raw: unknown, more: readonly Problem[] = []) => {
		const request = parse(raw ?? {});
		const problems = request.ok ? more : [...request.problems, ...more];
		if (problems.length > 0) throw doesNotFit(problems);
		return request as Extract<typeof request, { ok: true }>;
	};
	if (!schema.features.some(({ kind }) => kind === "timeOfDay"))
		return (raw) => read(raw);
	const isDeclared = schema.features.some(
		({ name, from }) => name === TIME_ZONE && from === "request",
	);
	return (raw) => {
		const given = isPlainObject(raw) ? (raw[TIME_ZONE] ?? null) : null;
		if (given === null) return read(raw);
		const zone = readTimeZone(given);
		// What says where somebody is is not kept unless it is declared for itself.
		const { [TIME_ZONE]: _, ...rest } = raw as JsonObject;
		const { values, ignored } = read(
			isDeclared ? raw : rest,
			zone === null ? [noZone(given)] : [],
		);
		return { values, ignored, zone };
	};
}

/** With the hour of each time of day that the request does not give itself, added to its own values. */
export function withHours(
	{ values, zone }: RequestContext,
	timed: readonly Feature[],
	now: number,
): JsonObject {
	if (zone === undefined || zone === null) return values;
	const all = values as { [name: string]: JsonValue };
	for (const { name } of timed)
		if (!Object.hasOwn(all, name)) all[name] = zone.hourAt(now);
	return all;
}

function noZone(given: unknown): Problem {
	const shown =
		typeof given === "string" ? JSON.stringify(given.slice(0, 64)) : "that";
	return {
		path: `context.${TIME_ZONE}`,
		message: `${TIME_ZONE} must be an IANA time zone such as Europe/Berlin, or an offset such as +02:00, not ${shown}.`,
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
