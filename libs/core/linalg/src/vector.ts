const ROOM = 8_192;
/** Longer ones are worth a buffer of their own. */
const LONGEST = 1_024;
let room = new Float64Array(ROOM);
let used = 0;

/**
 * A vector of zeros, for numbers that live as long as one decision: cut from a buffer that many share, since a buffer of its own costs
 * an allocation outside the heap and the collector's work to give it back. Kept for long, it keeps 64 KiB.
 */
export function vector(length: number): Float64Array {
	if (length > LONGEST) return new Float64Array(length);
	if (used + length > ROOM) {
		room = new Float64Array(ROOM);
		used = 0;
	}
	const from = used;
	used += length;
	return room.subarray(from, used);
}
