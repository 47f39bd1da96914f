import { BinaryWriter } from "./binary-fields.js";

/** Arrays as parameters in binary, which pg sends as they are: a fraction of what their text costs on both sides. */

/** OIDs of the elements' types, from PostgreSQL's pg_type.dat, where they never change. */
const BYTEA = 17;
const INT2 = 21;
const INT4 = 23;
const TEXT = 25;
const FLOAT8 = 701;
const UUID = 2950;

export const uuidArray = (values: readonly (string | null)[]): Buffer =>
	array(UUID, values, (to, value) => to.uuid(value));

export const textArray = (values: readonly (string | null)[]): Buffer =>
	array(TEXT, values, (to, value) => to.text(value));

export const int2Array = (values: readonly (number | null)[]): Buffer =>
	array(INT2, values, (to, value) => to.int2(value));

export const int4Array = (values: readonly (number | null)[]): Buffer =>
	array(INT4, values, (to, value) => to.int4(value));

export const float8Array = (values: readonly (number | null)[]): Buffer =>
	array(FLOAT8, values, (to, value) => to.float8(value));

export const bytesArray = (values: readonly Uint8Array[]): Buffer =>
	array(BYTEA, values, (to, value) => to.bytes(value));

/** As array_recv reads it: dimensions, whether there are nulls, the type, the length, the first index, the elements as fields. */
function array<T>(
	type: number,
	values: readonly (T | null)[],
	write: (to: BinaryWriter, value: T | null) => void,
): Buffer {
	const to = new BinaryWriter(32 + 24 * values.length);
	to.rawInt32(values.length === 0 ? 0 : 1);
	to.rawInt32(values.includes(null) ? 1 : 0);
	to.rawInt32(type);
	if (values.length === 0) return to.end();
	to.rawInt32(values.length);
	to.rawInt32(1);
	for (const value of values) write(to, value);
	return to.end();
}
