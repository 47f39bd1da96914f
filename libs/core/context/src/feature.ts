import type { Feature, JsonValue, ValueFeature } from "#core/experiment";
import { whyTextIsNotStored } from "./not-stored.js";
import { isUnstorable } from "./storable-text.js";

/** Values of features by name, as they reach the encoder: request, live and profile together. */
export type ContextValues = { readonly [feature: string]: JsonValue };

/** Of a day. */
const HOURS = 24;

/** A feature, and whether objects inherit something of its name, which is none of its values. */
export type CompiledFeature = ValueFeature & { readonly isInherited: boolean };

const NONE: readonly never[] = [];

/** Whether it has a value, which products have not. */
export function hasValue(feature: Feature): feature is ValueFeature {
	return feature.kind !== "product";
}

/**
 * The feature with the fields of every kind, so that all have one shape: code that goes over features of six shapes looks up each of
 * their fields anew.
 */
export function compileFeature(feature: ValueFeature): CompiledFeature {
	const everyField = {
		name: "",
		kind: "",
		from: "",
		consent: undefined,
		missing: undefined,
		hint: undefined,
		mean: 0,
		scale: 1,
		live: undefined,
		type: undefined,
		period: 1,
		levels: NONE,
		values: NONE,
		length: 0,
		isInherited: feature.name in Object.prototype,
	};
	// What stands in for other kinds is read once, when they are compiled (stand-in.ts).
	const mean = feature.kind === "number" ? feature.mean : undefined;
	return { ...everyField, ...feature, mean } as CompiledFeature;
}

/** What is given of a feature, which may be null; own keys only. */
export function givenValue<T>(
	values: { readonly [feature: string]: T },
	{ name, isInherited }: CompiledFeature,
): T | undefined {
	return isInherited && !Object.hasOwn(values, name) ? undefined : values[name];
}

/** How many coordinates a feature writes: without their names, of which a definition that is refused may have millions. */
export function coordinateCount(feature: ValueFeature): number {
	switch (feature.kind) {
		case "number":
		case "boolean":
			return 1;
		case "cyclic":
		case "timeOfDay":
			return 2;
		case "category":
			return feature.levels.length;
		case "vector":
			return feature.length;
		case "attribute":
			return 0;
	}
}

/** Names of the coordinates a feature writes, in order; none for an attribute. */
export function coordinateNames(feature: ValueFeature): readonly string[] {
	const { name } = feature;
	switch (feature.kind) {
		case "number":
		case "boolean":
			return [name];
		case "cyclic":
		case "timeOfDay":
			return [`${name}.sin`, `${name}.cos`];
		case "category":
			return feature.levels.map((level) => `${name}=${level}`);
		case "vector":
			return Array.from(
				{ length: feature.length },
				(_, index) => `${name}[${index}]`,
			);
		case "attribute":
			return [];
	}
}

/** What is wrong with a value of the feature, as the end of a sentence, or null. */
export function typeProblem(
	feature: ValueFeature,
	value: JsonValue,
): string | null {
	switch (feature.kind) {
		case "number":
		case "cyclic":
			return numberProblem(value);
		case "boolean":
			return typeof value === "boolean"
				? null
				: `must be true or false, not ${describe(value)}`;
		case "category":
			return textProblem(value, feature.levels);
		case "timeOfDay":
			return isFiniteNumber(value) && value >= 0 && value < HOURS
				? null
				: `must be an hour of the day, from 0 to below ${HOURS}, not ${describe(value)}`;
		case "attribute":
			if (feature.type === "number") return numberProblem(value);
			return (
				textProblem(value, feature.values) ??
				valueProblem(feature.values, value as string)
			);
		case "vector":
			if (!Array.isArray(value))
				return `must be a list of ${feature.length} numbers, not ${describe(value)}`;
			if (value.length !== feature.length)
				return `must have ${feature.length} numbers, not ${value.length}`;
			return areFiniteNumbers(value) ? null : "must hold finite numbers only";
	}
}

/** Writes the coordinates of a value that has the feature's type into x, from `offset`; not yet clipped or rounded. */
export function writeCoordinates(
	feature: ValueFeature,
	value: JsonValue,
	x: Float64Array,
	offset: number,
): void {
	switch (feature.kind) {
		case "number":
			x[offset] = ((value as number) - feature.mean) / feature.scale;
			return;
		case "boolean":
			x[offset] = value === true ? 1 : 0;
			return;
		case "cyclic":
			writeAngle(value as number, feature.period, x, offset);
			return;
		case "timeOfDay":
			writeAngle(value as number, HOURS, x, offset);
			return;
		case "category": {
			const level = feature.levels.indexOf(value as string);
			if (level >= 0) x[offset + level] = 1;
			return;
		}
		case "vector":
			for (let i = 0; i < feature.length; i++)
				x[offset + i] = (value as readonly number[])[i] as number;
			return;
		case "attribute":
			return;
	}
}

function writeAngle(
	value: number,
	period: number,
	x: Float64Array,
	offset: number,
): void {
	// The remainder first: sin of a large argument loses all its digits.
	const angle = (2 * Math.PI * (value % period)) / period;
	x[offset] = Math.sin(angle);
	x[offset + 1] = Math.cos(angle);
}

function areFiniteNumbers(values: readonly JsonValue[]): boolean {
	for (let i = 0; i < values.length; i++)
		if (!isFiniteNumber(values[i] as JsonValue)) return false;
	return true;
}

function isFiniteNumber(value: JsonValue): value is number {
	return typeof value === "number" && Number.isFinite(value);
}

function numberProblem(value: JsonValue): string | null {
	return isFiniteNumber(value)
		? null
		: `must be a finite number, not ${describe(value)}`;
}

/** @param declared texts that may be anything, since the definition has them */
function textProblem(
	value: JsonValue,
	declared: readonly string[],
): string | null {
	if (typeof value !== "string") return `must be text, not ${describe(value)}`;
	if (declared.includes(value)) return null;
	// None that is stored is unstorable, so that most texts need not be looked through for it.
	const why = whyTextIsNotStored(value);
	return why !== null && isUnstorable(value)
		? "must not hold a NUL or half of a surrogate pair"
		: why;
}

function valueProblem(known: readonly string[], value: string): string | null {
	if (known.length === 0 || known.includes(value)) return null;
	return `must be one of ${known.join(", ")}, not ${JSON.stringify(value.slice(0, 64))}`;
}

function describe(value: JsonValue): string {
	if (value === null || typeof value === "boolean" || typeof value === "number")
		return String(value);
	if (typeof value === "string")
		return `the text ${JSON.stringify(value.slice(0, 64))}`;
	return Array.isArray(value) ? "a list" : "an object";
}
