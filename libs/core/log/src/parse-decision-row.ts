import {
	ARM_KEY,
	EXPERIMENT_KEY,
	findJsonProblem,
	isPlainObject,
	type JsonObject,
	type JsonValue,
	PRINTABLE,
	PURPOSE,
} from "#core/experiment";
import { isOnGrid } from "#core/linalg";
import { isDecisionId } from "./decision-id.js";
import type { DecisionRow } from "./decision-row.js";
import { doublesFromBase64, gridFromBase64 } from "./number-bytes.js";
import { unpackNumbers } from "./number-pack.js";
import { nameFields } from "./row-list.js";

/** Most coordinates of x (an experiment may have 256) and most arms. */
const MOST_COORDINATES = 257;
const MOST_ARMS = 1000;
const MOST_LIST = 1000;
const MOST_TIME = 253_402_300_799_999;
const SUM_TOLERANCE = 1e-9;

/** Thrown inside this file only: the first field that is wrong. */
class BadRow extends Error {}

export type ParsedRow =
	| { readonly ok: true; readonly value: DecisionRow }
	| { readonly ok: false; readonly reason: string };

/** One decision as it travels in a pack, as a list (row-list.ts) or, as earlier versions wrote it, by names → the row, or the first reason why it is none. */
export function parseDecisionRow(sent: unknown): ParsedRow {
	const raw = Array.isArray(sent) ? nameFields(sent) : sent;
	const problem = findJsonProblem(raw);
	if (problem !== null)
		return {
			ok: false,
			reason: `bad decision: ${problem.path} ${problem.message}`,
		};
	if (!isPlainObject(raw))
		return {
			ok: false,
			reason:
				"bad decision: not an object, nor a list of as many fields as a row has",
		};
	try {
		return { ok: true, value: readRow(raw) };
	} catch (error) {
		return { ok: false, reason: `bad decision: ${(error as BadRow).message}` };
	}
}

type Raw = { readonly [key: string]: unknown };

function readRow(raw: Raw): DecisionRow {
	const numbers = readNumbers(raw);
	const field = (key: string): unknown =>
		Object.hasOwn(numbers, key)
			? numbers[key]
			: Object.hasOwn(raw, key)
				? raw[key]
				: undefined;
	const text = (key: string, pattern: RegExp) =>
		need(
			key,
			field(key),
			(value) => typeof value === "string" && pattern.test(value),
		) as string;
	const textOrNull = (key: string, pattern = PRINTABLE) =>
		field(key) === null ? null : text(key, pattern);
	const whole = (key: string, most = Number.MAX_SAFE_INTEGER) =>
		need(
			key,
			field(key),
			(value) =>
				Number.isInteger(value) &&
				(value as number) >= 0 &&
				(value as number) <= most,
		) as number;
	const oneOf = <T extends string>(key: string, known: readonly T[]) =>
		need(key, field(key), (value) => known.includes(value as T)) as T;
	const texts = (key: string) =>
		need(key, field(key), isTextList) as readonly string[];

	const eligible = need(
		"eligible",
		field("eligible"),
		isIndexList,
	) as readonly number[];
	const probabilities = (key: string) =>
		readDistribution(key, field(key), eligible.length);
	return {
		id: need(
			"id",
			field("id"),
			(value) => typeof value === "string" && isDecisionId(value),
		) as string,
		experiment: text("experiment", EXPERIMENT_KEY),
		version: whole("version", 2 ** 31 - 1),
		definitionId: whole("definitionId"),
		unit: text("unit", PRINTABLE),
		session: textOrNull("session"),
		group: oneOf("group", ["policy", "control", "outside"]),
		arm: text("arm", ARM_KEY),
		propensity: need(
			"propensity",
			field("propensity"),
			(value) => typeof value === "number" && value > 0 && value <= 1,
		) as number,
		distribution: oneOf("distribution", [
			"policy",
			"control",
			"baseline",
			"winner",
		]),
		context: need("context", field("context"), isPlainObject) as JsonObject,
		x: readX(field("x")),
		eligible,
		excluded: need("excluded", field("excluded"), isTextRecord) as Record<
			string,
			string
		>,
		means: readGrid("means", field("means"), eligible.length),
		propensities: probabilities("propensities"),
		policyPropensities:
			field("policyPropensities") === null
				? null
				: probabilities("policyPropensities"),
		missing: texts("missing"),
		degraded: texts("degraded"),
		decidedAt: whole("decidedAt", MOST_TIME),
		origin: oneOf("origin", ["server", "import", "edge"]),
		parent: need(
			"parent",
			field("parent"),
			(value) =>
				value === null || (typeof value === "string" && isDecisionId(value)),
		) as string | null,
		traceId: textOrNull("traceId"),
		requestId: textOrNull("requestId"),
		consent: need("consent", field("consent"), isConsent) as Record<
			string,
			boolean
		> | null,
		privacyVersion: textOrNull("privacyVersion"),
		extra: need(
			"extra",
			field("extra"),
			(value) => value !== undefined,
		) as JsonValue,
		revision: whole("revision"),
		referenceBucket: whole("referenceBucket"),
		coreVersion: text("coreVersion", PRINTABLE),
	};
}

function need(
	key: string,
	value: unknown,
	holds: (value: unknown) => boolean,
): unknown {
	if (value === undefined) throw new BadRow(`${key} is missing`);
	if (!holds(value)) throw new BadRow(`${key} is not valid`);
	return value;
}

/** The numbers of a row that has them in one text; none where each has its own field. */
function readNumbers(raw: Raw): Raw {
	if (!Object.hasOwn(raw, "numbers")) return {};
	const { numbers } = raw;
	const unpacked = typeof numbers === "string" ? unpackNumbers(numbers) : null;
	if (unpacked === null) throw new BadRow("numbers is not valid");
	return { ...unpacked };
}

/** Numbers by whichever way they came. */
function toNumbers(
	raw: unknown,
	fromText: (text: string) => Float64Array | null,
): Float64Array | null {
	if (raw instanceof Float64Array) return raw;
	return typeof raw === "string" ? fromText(raw) : null;
}

function readX(raw: unknown): Float64Array {
	const x = toNumbers(raw, gridFromBase64);
	if (x === null || x.length === 0 || x.length > MOST_COORDINATES)
		throw new BadRow("x is not valid");
	if (
		!x.every((coordinate) => Math.abs(coordinate) <= 8 && isOnGrid(coordinate))
	)
		throw new BadRow("x is beyond ±8");
	return x;
}

function readGrid(key: string, raw: unknown, length: number): Float64Array {
	const values = toNumbers(raw, gridFromBase64);
	if (values === null || values.length !== length)
		throw new BadRow(`${key} is not one number per eligible arm`);
	return values;
}

function readDistribution(
	key: string,
	raw: unknown,
	length: number,
): Float64Array {
	const values = toNumbers(raw, doublesFromBase64);
	if (values === null || values.length !== length)
		throw new BadRow(`${key} is not one number per eligible arm`);
	if (!values.every((value) => value >= 0 && value <= 1))
		throw new BadRow(`${key} is not made of probabilities`);
	const sum = values.reduce((total, value) => total + value, 0);
	if (Math.abs(sum - 1) > SUM_TOLERANCE)
		throw new BadRow(`${key} sums to ${sum}, not to 1`);
	return values;
}

function isIndexList(value: unknown): boolean {
	if (!Array.isArray(value) || value.length === 0 || value.length > MOST_ARMS)
		return false;
	return value.every(
		(index, i) =>
			Number.isInteger(index) &&
			index >= 0 &&
			index < MOST_ARMS &&
			(i === 0 || index > value[i - 1]),
	);
}

function isTextList(value: unknown): boolean {
	return (
		Array.isArray(value) &&
		value.length <= MOST_LIST &&
		value.every((item) => typeof item === "string" && item.length <= 256)
	);
}

function isTextRecord(value: unknown): boolean {
	if (!isPlainObject(value)) return false;
	const entries = Object.entries(value);
	return (
		entries.length <= MOST_ARMS &&
		entries.every(
			([key, text]) =>
				ARM_KEY.test(key) && typeof text === "string" && text.length <= 4096,
		)
	);
}

function isConsent(value: unknown): boolean {
	if (value === null) return true;
	if (!isPlainObject(value)) return false;
	const entries = Object.entries(value);
	return (
		entries.length <= MOST_LIST &&
		entries.every(
			([purpose, given]) => PURPOSE.test(purpose) && typeof given === "boolean",
		)
	);
}
