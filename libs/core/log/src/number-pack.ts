import { GRID } from "#core/linalg";
import { readBase64 } from "./number-bytes.js";

/**
 * The numbers of a decision, exact and small: indexes and grid units as variable-length integers, probabilities as float64, each
 * distinct one once, since under a floor nearly all are equal. In order: K, K gaps between eligible indexes, d, d units of x, K units
 * of means, propensities, policy propensities. A third of what base64 of fixed widths took, and so of the bytes sent and stored.
 */
export interface PackedNumbers {
	readonly eligible: readonly number[];
	readonly x: Float64Array;
	readonly means: Float64Array;
	readonly propensities: Float64Array;
	readonly policyPropensities: Float64Array | null;
}

/** More distinct probabilities than this are written one by one. */
const MOST_DISTINCT = 16;
const MOST_VARINT_BYTES = 5;
const MOST_INT32 = 2 ** 31 - 1;

let scratch = new DataView(new ArrayBuffer(4_096));

/** The bytes stand until the next call. */
export function packNumbers(numbers: PackedNumbers): Uint8Array {
	const { eligible, x, means, propensities, policyPropensities } = numbers;
	reserve(
		32 +
			MOST_VARINT_BYTES * (eligible.length + x.length + means.length) +
			9 * (propensities.length + (policyPropensities?.length ?? 0)) +
			16 * MOST_DISTINCT,
	);
	let at = putVarint(0, eligible.length);
	let previous = -1;
	for (const index of eligible) {
		at = putVarint(at, index - previous - 1);
		previous = index;
	}
	at = putVarint(at, x.length);
	at = putGrid(at, x);
	at = putGrid(at, means);
	at = putDistribution(at, propensities);
	if (policyPropensities !== null) at = putDistribution(at, policyPropensities);
	return new Uint8Array(scratch.buffer, 0, at);
}

/** Null where the text is not base64 of packed numbers, all of them and no more. The arrays are parts of one. */
export function unpackNumbers(text: string): PackedNumbers | null {
	reserve(text.length);
	const bytes = new Uint8Array(scratch.buffer);
	const length = readBase64(text, bytes);
	if (length === null) return null;
	const reader = new Reader(scratch, length);
	const K = reader.count();
	const eligible: number[] = [];
	for (let last = -1; eligible.length < K && reader.good; ) {
		last += 1 + reader.varint();
		eligible.push(last);
	}
	const d = reader.count();
	const all = new Float64Array(d + 3 * K);
	const x = reader.grid(all.subarray(0, d));
	const means = reader.grid(all.subarray(d, d + K));
	const propensities = reader.distribution(all.subarray(d + K, d + 2 * K));
	const policyPropensities = reader.atEnd
		? null
		: reader.distribution(all.subarray(d + 2 * K));
	return reader.good && reader.atEnd
		? { eligible, x, means, propensities, policyPropensities }
		: null;
}

function reserve(bytes: number): void {
	if (scratch.byteLength < bytes)
		scratch = new DataView(new ArrayBuffer(2 * bytes));
}

/** Seven bits a byte, the lowest first; the eighth says that more follow. */
function putVarint(from: number, value: number): number {
	let at = from;
	let rest = value >>> 0;
	while (rest > 127) {
		scratch.setUint8(at++, (rest & 127) | 128);
		rest >>>= 7;
	}
	scratch.setUint8(at++, rest);
	return at;
}

/** Values on the 2⁻¹² grid as counts of grid units, small ones of either sign short; beyond ±524,288 (no mean of rewards within ±8 is) they saturate. */
function putGrid(from: number, values: Float64Array): number {
	let at = from;
	for (let i = 0; i < values.length; i++) {
		const units = Math.max(
			-MOST_INT32,
			Math.min(MOST_INT32, Math.round((values[i] as number) / GRID)),
		);
		at = putVarint(at, (units << 1) ^ (units >> 31));
	}
	return at;
}

/** The count of distinct values, they, and for each arm which; or 0 and each arm's own. */
function putDistribution(from: number, values: Float64Array): number {
	const distinct: number[] = [];
	for (let i = 0; i < values.length; i++) {
		if (distinct.includes(values[i] as number)) continue;
		distinct.push(values[i] as number);
		if (distinct.length > MOST_DISTINCT) return putEach(from, values);
	}
	scratch.setUint8(from, distinct.length);
	let at = from + 1;
	for (const value of distinct) {
		scratch.setFloat64(at, value, true);
		at += 8;
	}
	for (let i = 0; i < values.length; i++)
		scratch.setUint8(at++, distinct.indexOf(values[i] as number));
	return at;
}

function putEach(from: number, values: Float64Array): number {
	scratch.setUint8(from, 0);
	let at = from + 1;
	for (let i = 0; i < values.length; i++) {
		scratch.setFloat64(at, values[i] as number, true);
		at += 8;
	}
	return at;
}

/** Reads what was put; `good` turns false, for good, at the first thing that cannot be. */
class Reader {
	good = true;
	private at = 0;

	constructor(
		private readonly view: DataView,
		private readonly length: number,
	) {}

	get atEnd(): boolean {
		return this.at === this.length;
	}

	/** Of things that take a byte each or more, so no larger than what is left. */
	count(): number {
		const count = this.varint();
		if (count > this.length - this.at) this.good = false;
		return this.good ? count : 0;
	}

	/** Below 2³². */
	varint(): number {
		const first = this.byte();
		if (first < 128) return first;
		let value = first & 127;
		for (let shift = 7; shift < 7 * MOST_VARINT_BYTES; shift += 7) {
			const byte = this.byte();
			// The fifth byte has room for four bits.
			if (shift === 28 && byte > 15) break;
			value |= (byte & 127) << shift;
			if (byte < 128) return value >>> 0;
		}
		this.good = false;
		return 0;
	}

	grid(values: Float64Array): Float64Array {
		for (let i = 0; i < values.length; i++) {
			const folded = this.varint();
			values[i] = ((folded >>> 1) ^ -(folded & 1)) * GRID;
		}
		return values;
	}

	distribution(values: Float64Array): Float64Array {
		const distinct = this.byte();
		if (distinct > MOST_DISTINCT) this.good = false;
		if (!this.good) return values;
		const from = this.at;
		this.at += 8 * distinct;
		for (let i = 0; i < values.length; i++)
			values[i] = distinct === 0 ? this.float64() : this.oneOf(from, distinct);
		return values;
	}

	private oneOf(from: number, distinct: number): number {
		const which = this.byte();
		if (which >= distinct) this.good = false;
		return this.float64At(from + 8 * which);
	}

	private byte(): number {
		if (this.at < this.length) return this.view.getUint8(this.at++);
		this.good = false;
		return 0;
	}

	private float64(): number {
		const at = this.at;
		this.at += 8;
		return this.float64At(at);
	}

	private float64At(at: number): number {
		if (at + 8 > this.length) this.good = false;
		return this.good ? this.view.getFloat64(at, true) : 0;
	}
}
