const NULL_LENGTH = -1;
const JSONB_VERSION = 1;
/** PostgreSQL counts time from 2000-01-01, in microseconds. */
const EPOCH_MS = Date.UTC(2000, 0, 1);
/** A UTF-16 unit takes at most three bytes of UTF-8. */
const UNIT_BYTES = 3;
const NO_DIGIT = 255;
/** Value of a hexadecimal digit by its character code. */
const HEX = Uint8Array.from({ length: 128 }, (_, code) => {
	const value = Number.parseInt(String.fromCharCode(code), 16);
	return Number.isNaN(value) ? NO_DIGIT : value;
});

/** Writes the fields of one row, in the order of the columns. */
export interface FieldWriter {
	uuid(value: string | null): void;
	text(value: string | null): void;
	int2(value: number | null): void;
	int4(value: number | null): void;
	/** A safe integer. */
	int8(value: number | null): void;
	float8(value: number | null): void;
	/** As bytea. */
	bytes(value: Uint8Array | null): void;
	/** As bytea, like the next two: little endian, two bytes each. */
	int16s(values: ArrayLike<number>): void;
	/** Four bytes each, `unit` being 1. */
	int32s(values: ArrayLike<number>, unit: number): void;
	float64s(values: ArrayLike<number> | null): void;
	/** As jsonb; null and undefined are no value, not JSON's null. */
	jsonb(value: unknown): void;
	/** As timestamptz, from milliseconds since the epoch. */
	time(milliseconds: number): void;
}

const viewOf = ({ buffer, byteOffset, length }: Buffer): DataView =>
	new DataView(buffer, byteOffset, length);

/** Fields as PostgreSQL writes them in binary: the length, then the value. */
export class BinaryWriter implements FieldWriter {
	#bytes: Buffer;
	#view: DataView;
	#at = 0;

	/** @param length bytes to begin with; it grows as needed */
	constructor(length = 65_536) {
		this.#bytes = Buffer.allocUnsafe(length);
		this.#view = viewOf(this.#bytes);
	}

	/** The whole; the writer is of no more use. */
	end(): Buffer {
		return this.#bytes.subarray(0, this.#at);
	}

	/** Without a length before it, like the next two. */
	raw(bytes: Uint8Array): void {
		this.#reserve(bytes.length);
		this.#bytes.set(bytes, this.#at);
		this.#at += bytes.length;
	}

	rawInt16(value: number): void {
		this.#reserve(2);
		this.#at = this.#bytes.writeInt16BE(value, this.#at);
	}

	rawInt32(value: number): void {
		this.#reserve(4);
		this.#at = this.#bytes.writeInt32BE(value, this.#at);
	}

	uuid(value: string | null): void {
		if (this.#isNull(value)) return;
		this.#field(16);
		let digits = 0;
		for (let i = 0; i < value.length; i++) {
			const digit = HEX[value.charCodeAt(i)] ?? NO_DIGIT;
			if (digit === NO_DIGIT) continue;
			const place = this.#at + (digits >> 1);
			const before = digits & 1 ? (this.#bytes[place] as number) << 4 : 0;
			this.#bytes[place] = before | digit;
			digits++;
		}
		if (digits !== 32) throw new RangeError(`${value} is no UUID.`);
		this.#at += 16;
	}

	text(value: string | null): void {
		if (!this.#isNull(value)) this.#text(value);
	}

	int2(value: number | null): void {
		if (this.#isNull(value)) return;
		this.#field(2);
		this.#at = this.#bytes.writeInt16BE(value, this.#at);
	}

	int4(value: number | null): void {
		if (this.#isNull(value)) return;
		this.#field(4);
		this.#at = this.#bytes.writeInt32BE(value, this.#at);
	}

	int8(value: number | null): void {
		if (this.#isNull(value)) return;
		this.#field(8);
		this.#at = this.#bytes.writeInt32BE(Math.floor(value / 2 ** 32), this.#at);
		this.#at = this.#bytes.writeInt32BE(value | 0, this.#at);
	}

	float8(value: number | null): void {
		if (this.#isNull(value)) return;
		this.#field(8);
		this.#at = this.#bytes.writeDoubleBE(value, this.#at);
	}

	bytes(value: Uint8Array | null): void {
		if (this.#isNull(value)) return;
		this.#field(value.length);
		this.#bytes.set(value, this.#at);
		this.#at += value.length;
	}

	int16s(values: ArrayLike<number>): void {
		this.#field(2 * values.length);
		for (let i = 0; i < values.length; i++, this.#at += 2)
			this.#view.setInt16(this.#at, values[i] as number, true);
	}

	int32s(values: ArrayLike<number>, unit: number): void {
		this.#field(4 * values.length);
		for (let i = 0; i < values.length; i++, this.#at += 4)
			this.#view.setInt32(this.#at, (values[i] as number) / unit, true);
	}

	float64s(values: ArrayLike<number> | null): void {
		if (this.#isNull(values)) return;
		this.#field(8 * values.length);
		for (let i = 0; i < values.length; i++, this.#at += 8)
			this.#view.setFloat64(this.#at, values[i] as number, true);
	}

	jsonb(value: unknown): void {
		if (this.#isNull(value ?? null)) return;
		this.#text(JSON.stringify(value), 1);
	}

	time(milliseconds: number): void {
		this.int8(Math.round(1_000 * (milliseconds - EPOCH_MS)));
	}

	/** What has no value is written as such. */
	#isNull(value: unknown): value is null {
		if (value !== null) return false;
		this.rawInt32(NULL_LENGTH);
		return true;
	}

	#text(text: string, prefix: 0 | 1 = 0): void {
		this.#reserve(5 + UNIT_BYTES * text.length);
		const at = this.#at + 4 + prefix;
		if (prefix === 1) this.#bytes[at - 1] = JSONB_VERSION;
		const written = this.#bytes.write(text, at);
		this.#bytes.writeInt32BE(prefix + written, this.#at);
		this.#at = at + written;
	}

	#field(length: number): void {
		this.#reserve(4 + length);
		this.#at = this.#bytes.writeInt32BE(length, this.#at);
	}

	#reserve(more: number): void {
		if (this.#at + more <= this.#bytes.length) return;
		const larger = Buffer.allocUnsafe(2 * (this.#at + more));
		this.#bytes.copy(larger, 0, 0, this.#at);
		this.#bytes = larger;
		this.#view = viewOf(larger);
	}
}
