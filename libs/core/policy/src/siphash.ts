/** A 128-bit key as four little-endian 32-bit words. */
export type SipKey = Int32Array;

/**
 * SipHash-2-4 (Aumasson and Bernstein 2012, "SipHash: a fast short-input PRF"), 64 bits, in 32-bit halves since V8's bigint is slow.
 * A keyed pseudo-random function: without the key its values cannot be told from chance.
 * Writes the two halves of the value, low first, to `out`; reads `length` bytes of `bytes`, which must have room for 8 more.
 */
export function sipHash24(
	key: SipKey,
	bytes: Uint8Array,
	length: number,
	out: Uint32Array,
): void {
	const k0 = key[0] as number;
	const k1 = key[1] as number;
	const k2 = key[2] as number;
	const k3 = key[3] as number;
	v0l = k0 ^ 0x70736575;
	v0h = k1 ^ 0x736f6d65;
	v1l = k2 ^ 0x6e646f6d;
	v1h = k3 ^ 0x646f7261;
	v2l = k0 ^ 0x6e657261;
	v2h = k1 ^ 0x6c796765;
	v3l = k2 ^ 0x79746573;
	v3h = k3 ^ 0x74656462;

	const whole = length & ~7;
	for (let i = 0; i < whole; i += 8)
		compress(word(bytes, i), word(bytes, i + 4));
	// The last block ends in the length modulo 256.
	bytes.fill(0, length, whole + 8);
	bytes[whole + 7] = length & 0xff;
	compress(word(bytes, whole), word(bytes, whole + 4));

	v2l ^= 0xff;
	round();
	round();
	round();
	round();
	out[0] = v0l ^ v1l ^ v2l ^ v3l;
	out[1] = v0h ^ v1h ^ v2h ^ v3h;
}

// The state v0 to v3. Of the module, since 8 numbers handed from round to round in an array take three times as long.
let v0l = 0;
let v0h = 0;
let v1l = 0;
let v1h = 0;
let v2l = 0;
let v2h = 0;
let v3l = 0;
let v3h = 0;

function compress(low: number, high: number): void {
	v3l ^= low;
	v3h ^= high;
	round();
	round();
	v0l ^= low;
	v0h ^= high;
}

function round(): void {
	let low: number;
	let high: number;
	let turned: number;
	// v0 += v1; v1 <<<= 13; v1 ^= v0; v0 <<<= 32
	low = (v0l >>> 0) + (v1l >>> 0);
	high = (v0h + v1h + (low > 0xffffffff ? 1 : 0)) | 0;
	turned = (v1l << 13) | (v1h >>> 19);
	v1h = ((v1h << 13) | (v1l >>> 19)) ^ high;
	v1l = turned ^ (low | 0);
	v0l = high;
	v0h = low | 0;
	// v2 += v3; v3 <<<= 16; v3 ^= v2
	low = (v2l >>> 0) + (v3l >>> 0);
	v2h = (v2h + v3h + (low > 0xffffffff ? 1 : 0)) | 0;
	v2l = low | 0;
	turned = (v3l << 16) | (v3h >>> 16);
	v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h;
	v3l = turned ^ v2l;
	// v0 += v3; v3 <<<= 21; v3 ^= v0
	low = (v0l >>> 0) + (v3l >>> 0);
	v0h = (v0h + v3h + (low > 0xffffffff ? 1 : 0)) | 0;
	v0l = low | 0;
	turned = (v3l << 21) | (v3h >>> 11);
	v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h;
	v3l = turned ^ v0l;
	// v2 += v1; v1 <<<= 17; v1 ^= v2; v2 <<<= 32
	low = (v2l >>> 0) + (v1l >>> 0);
	high = (v2h + v1h + (low > 0xffffffff ? 1 : 0)) | 0;
	turned = (v1l << 17) | (v1h >>> 15);
	v1h = ((v1h << 17) | (v1l >>> 15)) ^ high;
	v1l = turned ^ (low | 0);
	v2l = high;
	v2h = low | 0;
}

function word(bytes: Uint8Array, at: number): number {
	return (
		(bytes[at] as number) |
		((bytes[at + 1] as number) << 8) |
		((bytes[at + 2] as number) << 16) |
		((bytes[at + 3] as number) << 24)
	);
}
