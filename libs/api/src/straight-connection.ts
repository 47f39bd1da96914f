import type { Socket } from "node:net";
import { answerHead } from "./answer-head.js";
import {
	headerIn,
	readStraightHead,
	type StraightHead,
} from "./straight-head.js";
import type { StraightRequest } from "./straight-route.js";

/** What a connection needs of the server it belongs to. */
export interface StraightServer {
	/** Of the straight route; null while there is none. */
	readonly path: () => string | null;
	/** Hands on a request whose body is whole. */
	readonly arrived: (request: StraightRequest) => void;
	/** Told of each answer. */
	readonly answered: (status: number, seconds: number) => void;
	/** For the first bytes of a connection. */
	readonly headersMs: number;
	readonly keepAliveMs: number;
	/** False once the server takes no more connections: then none may linger. */
	readonly listening: () => boolean;
	/** Answers a request that ended before it was whole, as Node's HTTP server does, and closes. */
	readonly brokenOff: (socket: Socket) => void;
	/** Node's HTTP server takes a connection over, to read these bytes first. */
	readonly takeOver: (socket: Socket, bytes: Buffer) => void;
}

/** A body that is not whole after this long, or comes in so many pieces, is left to Node, which knows when to lose patience. */
const GATHER_MS = 1_000;
const MOST_PIECES = 16;

const NOTHING = new Uint8Array(0);

/**
 * A connection that has brought nothing but plain requests of the straight route, each after the answer to the one before. They are
 * read and answered here, since Node's HTTP takes 24 µs of processor time for such a request and this 13.
 *
 * waiting → (a plain head came) → gathering → (its body is whole) → answering → (answered) → waiting.
 * After the answer, once the server takes no more connections: closing, and nothing is read any more.
 *
 * Whatever else comes (another path, an unusual head, bytes behind a body, a request before the last one was answered) makes Node's
 * server take over for good, with every byte that is not answered: it judges, waits and refuses as everywhere else. Nothing is refused
 * here; but silence is ended, before the first request sooner than after one, and a body cut off by the client's end is answered as
 * Node would.
 */
export class StraightConnection implements StraightRequest {
	body: Uint8Array = NOTHING;
	traceparent: string | undefined;
	private head: StraightHead | null = null;
	private state: "waiting" | "gathering" | "answering" | "closing" | "left" =
		"waiting";
	/** Bytes of a request that is not whole, and how many are missing; while answering, bytes that came too early. */
	private pieces: Buffer[] = [];
	private missing = 0;
	private bodyAt = 0;
	/** When the last answer was sent; before the first, when it was opened. */
	private idleSince = performance.now();
	/** When the request's head came. */
	private begunAt = 0;
	private patienceMs: number;

	constructor(
		private readonly socket: Socket,
		private readonly server: StraightServer,
	) {
		this.patienceMs = server.headersMs;
		socket.on("data", this.onData);
		socket.on("end", this.onEnd);
		socket.on("error", this.onError);
	}

	header(name: string): string | undefined {
		return this.head === null ? undefined : headerIn(this.head, name);
	}

	closeIfIdle(): void {
		if (this.state === "waiting") this.socket.destroy();
	}

	/** Called now and then: a timer of its own for each connection costs each request more. */
	lookAfter(now: number): void {
		if (this.state === "gathering" && now - this.begunAt >= GATHER_MS)
			this.leave();
		if (now - this.idleSince >= this.patienceMs) this.closeIfIdle();
	}

	reply(
		status: number,
		headers: Readonly<Record<string, string>>,
		text: string,
	): void {
		const { socket, server } = this;
		const now = performance.now();
		server.answered(status, (now - this.begunAt) / 1_000);
		this.idleSince = now;
		this.patienceMs = server.keepAliveMs;
		this.state = "waiting";
		this.body = NOTHING;
		if (!socket.writable) return;
		const length = Buffer.byteLength(text);
		const stays = server.listening();
		const goesOn = socket.write(
			`${answerHead(status, headers, length, stays ? server.keepAliveMs : null)}${text}`,
			length === text.length ? "latin1" : "utf8",
		);
		if (!stays) this.close();
		else if (this.pieces.length > 0) this.leave();
		else if (!goesOn) {
			socket.pause();
			socket.once("drain", () => socket.resume());
		}
	}

	private readonly onData = (chunk: Buffer): void => {
		this.pieces.push(chunk);
		if (this.state === "answering") {
			this.socket.pause();
			return;
		}
		if (this.state === "gathering") this.gather(chunk);
		else this.begin(chunk);
	};

	private begin(chunk: Buffer): void {
		const path = this.server.path();
		const head = path === null ? null : readStraightHead(chunk, path);
		if (head === null) {
			this.leave();
			return;
		}
		this.begunAt = performance.now();
		this.head = head;
		this.traceparent = head.traceparent;
		this.bodyAt = head.bodyAt;
		this.missing = head.bodyAt + head.length;
		this.gather(chunk);
	}

	private gather(chunk: Buffer): void {
		this.missing -= chunk.length;
		if (this.missing > 0 && this.pieces.length < MOST_PIECES) {
			this.state = "gathering";
			return;
		}
		if (this.missing !== 0) {
			this.leave();
			return;
		}
		this.body = joined(this.pieces).subarray(this.bodyAt);
		this.pieces = [];
		this.state = "answering";
		this.server.arrived(this);
	}

	/** Closes both ways when the answer is written: a client that goes on sending would keep the server from closing. */
	private close(): void {
		this.state = "closing";
		this.pieces = [];
		this.socket.off("data", this.onData);
		this.socket.destroySoon();
	}

	private leave(): void {
		const { socket } = this;
		this.state = "left";
		socket.off("data", this.onData);
		socket.off("end", this.onEnd);
		socket.off("error", this.onError);
		this.server.takeOver(socket, joined(this.pieces));
		this.pieces = [];
	}

	private readonly onEnd = (): void => {
		if (this.state !== "gathering") {
			this.socket.end();
			return;
		}
		// Node cannot read what is put back after the end.
		this.state = "closing";
		this.pieces = [];
		this.server.brokenOff(this.socket);
	};

	private readonly onError = (): void => {
		this.socket.destroy();
	};
}

function joined(pieces: readonly Buffer[]): Buffer {
	return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
}
