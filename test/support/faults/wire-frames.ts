/** One message of a protocol: its bytes, and what it says in words that marks can be told by. */
export interface Frame {
	readonly bytes: Buffer;
	readonly says: string;
}

/** Cuts a direction's bytes into frames; what is not whole yet waits for the next chunk. */
export type Framer = (chunk: Buffer) => readonly Frame[];

/** How a protocol is read, from the client and from the server. */
export interface Protocol {
	readonly client: () => Framer;
	readonly server: () => Framer;
}

/** `take` says how long the frame is that `bytes` begin with, and what it says; null where it is not whole. */
function framer(
	take: (bytes: Buffer) => { length: number; says: string } | null,
): Framer {
	let left = Buffer.alloc(0);
	return (chunk) => {
		left = Buffer.concat([left, chunk]);
		const frames: Frame[] = [];
		for (;;) {
			const next = left.length === 0 ? null : take(left);
			if (next === null) return frames;
			frames.push({ bytes: left.subarray(0, next.length), says: next.says });
			left = left.subarray(next.length);
		}
	};
}

/** The type byte, the length with itself, the body. */
function typed(bytes: Buffer): { type: string; body: Buffer } | null {
	if (bytes.length < 5) return null;
	const length = 1 + bytes.readUInt32BE(1);
	if (bytes.length < length) return null;
	return {
		type: String.fromCharCode(bytes[0] as number),
		body: bytes.subarray(5, length),
	};
}

const words = (body: Buffer): string[] => body.toString("utf8").split("\0");

/** PostgreSQL: the client's frames say the SQL, also where it only names a prepared statement; the server's the tag of what is done. */
export const postgres: Protocol = {
	client: () => {
		const prepared = new Map<string, string>();
		let begun = false;
		return framer((bytes) => {
			if (!begun) {
				if (bytes.length < 4 || bytes.length < bytes.readUInt32BE(0))
					return null;
				begun = true;
				return { length: bytes.readUInt32BE(0), says: "startup" };
			}
			const whole = typed(bytes);
			if (whole === null) return null;
			const { type, body } = whole;
			const length = 5 + body.length;
			if (type === "Q") return { length, says: words(body)[0] as string };
			if (type === "P") {
				const [name, sql] = words(body) as [string, string];
				prepared.set(name, sql);
				return { length, says: sql };
			}
			if (type === "B") {
				const [, name] = words(body.subarray(0, 1_024)) as [string, string];
				return { length, says: prepared.get(name) ?? "" };
			}
			return { length, says: "" };
		});
	},
	server: () =>
		framer((bytes) => {
			const whole = typed(bytes);
			if (whole === null) return null;
			const { type, body } = whole;
			const length = 5 + body.length;
			if (type === "C") return { length, says: words(body)[0] as string };
			if (type === "K")
				return { length, says: `backend ${body.readUInt32BE(0)}` };
			if (type === "G") return { length, says: "copy in" };
			return { length, says: "" };
		}),
};

/** NATS: the client's frames say the line and what is published. */
export const nats: Protocol = {
	client: () =>
		framer((bytes) => {
			const end = bytes.indexOf("\r\n");
			if (end < 0) return null;
			const line = bytes.toString("utf8", 0, end);
			if (!/^H?PUB /.test(line)) return { length: end + 2, says: line };
			const payload = Number(line.slice(line.lastIndexOf(" ") + 1));
			const length = end + 2 + payload + 2;
			if (bytes.length < length) return null;
			const said = bytes.toString("utf8", end + 2, end + 2 + payload);
			return { length, says: `${line}\n${said.slice(0, 100)}` };
		}),
	server: () => (chunk) => [{ bytes: chunk, says: "" }],
};
