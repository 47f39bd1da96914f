import type { Reader } from "./reader.js";

/** A key as SEGUE_UNIT_KEY names it. */
export interface UnitKeySetting {
	readonly id: string;
	/** Milliseconds since the epoch; −∞ where no instant is given. */
	readonly from: number;
	readonly secret: Uint8Array;
}

const VARIABLE = "SEGUE_UNIT_KEY";
const LEAST_BYTES = 32;
const SHAPE = /^([a-z0-9]{1,16})(?:@([^\s]+))?:([A-Za-z0-9+/_-]+={0,2})$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$/;

/** `ID:SECRET`, or with the instant from which it names units `ID@2026-12-01T00:00Z:SECRET`; several with commas. Secrets are never repeated. */
export function readUnitKeys(reader: Reader): readonly UnitKeySetting[] {
	const text = reader.text(VARIABLE);
	if (text === null) return [];
	const keys = text.split(",").map((part, place) => {
		const key = keyOf(part.trim());
		if (typeof key === "string")
			reader.problems.push(`${VARIABLE}, key ${place + 1}, ${key}`);
		return key;
	});
	const read = keys.filter((key) => typeof key !== "string");
	for (const [what, values] of [
		["id", read.map(({ id }) => id)],
		["instant", read.map(({ from }) => from)],
	] as const)
		if (new Set<unknown>(values).size < values.length)
			reader.problems.push(
				`${VARIABLE} has two keys with the same ${what}: give each its own, and all but the first that ever was an instant, as in ID@2026-12-01T00:00Z:SECRET.`,
			);
	return read;
}

/** The key, or what is wrong with it. */
function keyOf(part: string): UnitKeySetting | string {
	const [, id, instant, base64] = SHAPE.exec(part) ?? [];
	if (id === undefined || base64 === undefined)
		return "must read ID:SECRET or ID@INSTANT:SECRET, with an id of 1 to 16 of a-z and 0-9 and a secret in base64 (openssl rand -base64 32).";
	const from =
		instant === undefined ? Number.NEGATIVE_INFINITY : timeOf(instant);
	if (Number.isNaN(from))
		return "has no instant that can be read: write it in UTC, such as 2026-12-01T00:00Z.";
	const secret = Buffer.from(base64, "base64");
	if (secret.length < LEAST_BYTES)
		return `has a secret of ${secret.length} bytes: make one of ${LEAST_BYTES} (openssl rand -base64 32).`;
	return { id, from, secret };
}

function timeOf(instant: string): number {
	return INSTANT.test(instant) ? Date.parse(instant) : Number.NaN;
}
