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
import { CLIP, isOnGrid } from "#core/linalg";
import { isDecisionId } from "./decision-id.js";
import type { DecisionRow } from "./decision-row.js";
import { doublesFromBase64, gridFromBase64 } from "./number-bytes.js";
import { type PackedNumbers, unpackNumbers } from "./number-pack.js";
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
	if (!isPlainObject(raw))
		return {
			ok: false,
			reason:
				"bad decision: not an object, nor a list of as many fields as a row has",
		};
	try {
		return { ok: true, value: readRow(raw) };
	} catch (error) {
		return { ok: false, reason: `bad decision: ${(error as Error).message}` };
	}
}

type Raw = { readonly [key: string]: unknown };

function readRow(raw: Raw): DecisionRow {
	const numbers = numbersOf(raw);
	const eligible = need("eligible", numbers.eligible, isIndexList);
	return {
		id: need("id", raw.id, isId),
		experiment: need("experiment", raw.experiment, isExperimentKey),
		version: need("version", raw.version, isVersion),
		definitionId: need("definitionId", raw.definitionId, isWhole),
		unit: need("unit", raw.unit, isPrintable),
		session: need("session", raw.session, isPrintableOrNull),
		group: need("group", raw.group, isGroup),
		arm: need("arm", raw.arm, isArmKey),
		propensity: need("propensity", raw.propensity, isProbability),
		distribution: need("distribution", raw.distribution, isDistribution),
		context: needJson("context", raw.context, isObject),
		x: readX(numbers.x),
		eligible,
		excluded: needJson("excluded", raw.excluded, isTextRecord),
		means: readGrid("means", numbers.means, eligible.length),
		propensities: readDistribution(
			"propensities",
			numbers.propensities,
			eligible.length,
		),
		policyPropensities:
			numbers.policyPropensities === null
				? null
				: readDistribution(
						"policyPropensities",
						numbers.policyPropensities,
						eligible.length,
					),
		missing: needJson("missing", raw.missing, isTextList),
		degraded: needJson("degraded", raw.degraded, isTextList),
		decidedAt: need("decidedAt", raw.decidedAt, isTime),
		origin: need("origin", raw.origin, isOrigin),
		parent: need("parent", raw.parent, isIdOrNull),
		traceId: need("traceId", raw.traceId, isPrintableOrNull),
		requestId: need("requestId", raw.requestId, isPrintableOrNull),
		consent: needJson("consent", raw.consent, isConsent),
		privacyVersion: need(
			"privacyVersion",
			raw.privacyVersion,
			isPrintableOrNull,
		),
		extra: needJson("extra", raw.extra, isAnything),
		revision: need("revision", raw.revision, isWhole),
		referenceBucket: need("referenceBucket", raw.referenceBucket, isWhole),
		coreVersion: need("coreVersion", raw.coreVersion, isPrintable),
	};
}

function need<T>(
	key: string,
	value: unknown,
	holds: (value: unknown) => value is T,
): T {
	if (value === undefined) throw new BadRow(`${key} is missing`);
	if (holds(value)) return value;
	const problem = findJsonProblem(value, key);
	throw new BadRow(
		problem === null
			? `${key} is not valid`
			: `${problem.path} ${problem.message}`,
	);
}

/** A field that is stored as a document; the others' own checks leave room for nothing that cannot be stored. */
function needJson<T>(
	key: string,
	value: unknown,
	holds: (value: unknown) => value is T,
): T {
	const problem = value === undefined ? null : findJsonProblem(value, key);
	if (problem !== null) throw new BadRow(`${problem.path} ${problem.message}`);
	return need(key, value, holds);
}

/** The numbers of a row that has them in one text; itself where each has its own field. */
function numbersOf(raw: Raw): {
	readonly [Field in keyof PackedNumbers]?: unknown;
} {
	if (raw.numbers === undefined) return raw;
	const unpacked =
		typeof raw.numbers === "string" ? unpackNumbers(raw.numbers) : null;
	if (unpacked === null) throw new BadRow("numbers is not valid");
	return unpacked;
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
	for (let i = 0; i < x.length; i++) {
		const coordinate = x[i] as number;
		if (!(Math.abs(coordinate) <= CLIP && isOnGrid(coordinate)))
			throw new BadRow("x is beyond ±8");
	}
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
	let sum = 0;
	for (let i = 0; i < values.length; i++) {
		const value = values[i] as number;
		if (!(value >= 0 && value <= 1))
			throw new BadRow(`${key} is not made of probabilities`);
		sum += value;
	}
	if (Math.abs(sum - 1) > SUM_TOLERANCE)
		throw new BadRow(`${key} sums to ${sum}, not to 1`);
	return values;
}

const matches =
	(pattern: RegExp) =>
	(value: unknown): value is string =>
		typeof value === "string" && pattern.test(value);
const orNull =
	<T>(holds: (value: unknown) => value is T) =>
	(value: unknown): value is T | null =>
		value === null || holds(value);
const oneOf =
	<T extends string>(...known: readonly T[]) =>
	(value: unknown): value is T =>
		known.includes(value as T);
const whole =
	(most: number) =>
	(value: unknown): value is number =>
		Number.isInteger(value) &&
		(value as number) >= 0 &&
		(value as number) <= most;

const isId = (value: unknown): value is string =>
	typeof value === "string" && isDecisionId(value);
const isIdOrNull = orNull(isId);
const isExperimentKey = matches(EXPERIMENT_KEY);
const isArmKey = matches(ARM_KEY);
const isPrintable = matches(PRINTABLE);
const isPrintableOrNull = orNull(isPrintable);
const isGroup = oneOf("policy", "control", "outside");
const isDistribution = oneOf("policy", "control", "baseline", "winner");
const isOrigin = oneOf("server", "import", "edge");
const isWhole = whole(Number.MAX_SAFE_INTEGER);
const isVersion = whole(2 ** 31 - 1);
const isTime = whole(MOST_TIME);
const isProbability = (value: unknown): value is number =>
	typeof value === "number" && value > 0 && value <= 1;
const isObject = (value: unknown): value is JsonObject => isPlainObject(value);
const isAnything = (value: unknown): value is JsonValue => value !== undefined;

function isIndexList(value: unknown): value is readonly number[] {
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

function isTextList(value: unknown): value is readonly string[] {
	return (
		Array.isArray(value) &&
		value.length <= MOST_LIST &&
		value.every((item) => typeof item === "string" && item.length <= 256)
	);
}

function isTextRecord(
	value: unknown,
): value is { readonly [key: string]: string } {
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

function isConsent(
	value: unknown,
): value is { readonly [purpose: string]: boolean } | null {
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
