const encoder = new TextEncoder();
const ALPHABET = encoder.encode(
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
);
const PADDING = 0x3d;
/** A UTF-16 unit takes at most three bytes of UTF-8. */
const UNIT_BYTES = 3;

/** Text and base64 written into one growing array of bytes, which is used again. */
export class ByteWriter {
	private bytes = new Uint8Array(65_536);
	private length = 0;

	text(text: string): void {
		this.reserve(UNIT_BYTES * text.length);
		const free = this.bytes.subarray(this.length);
		this.length += encoder.encodeInto(text, free).written;
	}

	/** Forgets the last bytes written. */
	takeBack(bytes: number): void {
		this.length -= bytes;
	}

	base64(source: Uint8Array): void {
		this.reserve(4 * Math.ceil(source.length / 3));
		const whole = source.length - (source.length % 3);
		for (let i = 0; i < whole; i += 3)
			this.four(source[i]!, source[i + 1]!, source[i + 2]!);
		if (whole === source.length) return;
		this.four(source[whole]!, source[whole + 1] ?? 0, 0);
		for (let i = 0; i < 3 - (source.length - whole); i++)
			this.bytes[this.length - 1 - i] = PADDING;
	}

	/** A copy of what was written; the writer begins anew. */
	take(): Uint8Array {
		const taken = this.bytes.slice(0, this.length);
		this.length = 0;
		return taken;
	}

	private four(a: number, b: number, c: number): void {
		const { bytes, length: at } = this;
		bytes[at] = ALPHABET[a >> 2]!;
		bytes[at + 1] = ALPHABET[((a & 3) << 4) | (b >> 4)]!;
		bytes[at + 2] = ALPHABET[((b & 15) << 2) | (c >> 6)]!;
		bytes[at + 3] = ALPHABET[c & 63]!;
		this.length = at + 4;
	}

	private reserve(more: number): void {
		if (this.length + more <= this.bytes.length) return;
		const larger = new Uint8Array(2 * (this.length + more));
		larger.set(this.bytes.subarray(0, this.length));
		this.bytes = larger;
	}
}
