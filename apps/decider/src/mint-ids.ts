import { randomFillSync } from "node:crypto";
import { v7 as uuidv7 } from "uuid";

const ID_BYTES = 16;
/** The generator is asked once for so many ids: asked for each (as `uuid` does by itself) it was 8 % of a decider's time. */
const IDS_A_POOL = 512;

/**
 * UUIDv7s that grow within the process (RFC 9562, section 6.2, method 1): a counter that begins at random in each millisecond, and
 * random bits after it. Where the clock goes back the newest time so far stays.
 */
export function mintIds(now: () => number): { mint(): string } {
	const pool = new Uint8Array(IDS_A_POOL * ID_BYTES);
	const id = new Uint8Array(ID_BYTES);
	let used = pool.length;
	let msecs = Number.NEGATIVE_INFINITY;
	let seq = 0;
	return {
		mint() {
			if (used === pool.length) {
				randomFillSync(pool);
				used = 0;
			}
			const random = pool.subarray(used, used + ID_BYTES);
			used += ID_BYTES;
			const time = now();
			if (time > msecs) {
				msecs = time;
				seq = counterStart(random);
			} else {
				seq = (seq + 1) >>> 0;
				if (seq === 0) msecs += 1;
			}
			return textOf(uuidv7({ random, msecs, seq }, id));
		},
	};
}

/** 31 bits from bytes that an id does not use otherwise, so that the counter of a millisecond seldom runs out of its 32. */
function counterStart(random: Uint8Array): number {
	const view = new DataView(random.buffer, random.byteOffset);
	return view.getUint32(0) >>> 1;
}

const HEX = Buffer.from("0123456789abcdef");
const text = Buffer.from("00000000-0000-0000-0000-000000000000");
const DASH = text[8];

/** The id's text in one piece: pieces joined, as `uuid` joins them, are put together again by everyone who reads them. */
function textOf(id: Uint8Array): string {
	let at = 0;
	for (let i = 0; i < ID_BYTES; i++) {
		const byte = id[i] as number;
		if (text[at] === DASH) at++;
		text[at++] = HEX[byte >> 4] as number;
		text[at++] = HEX[byte & 15] as number;
	}
	return text.toString("latin1");
}
