import { once } from "node:events";
import { connect, type Socket } from "node:net";

const END_OF_HEAD = "\r\n\r\n";
const LENGTH = /^content-length: (\d+)\r?$/im;

/** A request's bytes, written once. */
export function postOf(url: string, path: string, body: string): Buffer {
	return Buffer.from(
		[
			`POST ${path} HTTP/1.1`,
			`Host: ${new URL(url).host}`,
			"Content-Type: application/json",
			`Content-Length: ${Buffer.byteLength(body)}`,
			`\r\n${body}`,
		].join("\r\n"),
	);
}

interface Waiting {
	readonly request: Buffer;
	readonly resolve: () => void;
	readonly reject: (error: Error) => void;
}

/**
 * Connections to one server, each with one request at a time; what finds all of them busy waits for the first that is free. They read
 * no more of an answer than its status and length: Node's own client takes as much processor time for a request as a server, and both
 * share the machine.
 */
export class Connections {
	private readonly free: Connection[] = [];
	private readonly waiting: Waiting[] = [];

	private constructor(private readonly all: readonly Connection[]) {
		this.free = [...all];
	}

	static async open(url: string, count: number): Promise<Connections> {
		const { hostname: host, port } = new URL(url);
		const sockets = Array.from({ length: count }, () =>
			connect({ host, port: Number(port), noDelay: true }),
		);
		await Promise.all(sockets.map((socket) => once(socket, "connect")));
		return new Connections(sockets.map((socket) => new Connection(socket)));
	}

	/** Resolves at the end of an answer with status 200, and rejects with any other. */
	post(request: Buffer): Promise<void> {
		return new Promise((resolve, reject) => {
			const one = { request, resolve, reject };
			const connection = this.free.pop();
			if (connection === undefined) this.waiting.push(one);
			else this.send(connection, one);
		});
	}

	close(): void {
		for (const connection of this.all) connection.close();
	}

	private send(connection: Connection, { request, ...asked }: Waiting): void {
		connection.post(request, (error) => {
			const next = this.waiting.shift();
			if (next === undefined) this.free.push(connection);
			else this.send(connection, next);
			if (error === null) asked.resolve();
			else asked.reject(error);
		});
	}
}

class Connection {
	private answered: ((error: Error | null) => void) | null = null;
	private bytes: Buffer = Buffer.alloc(0);

	constructor(private readonly socket: Socket) {
		socket.on("data", (chunk: Buffer) => this.read(chunk));
		socket.on("error", (error) => this.end(error));
		socket.on("close", () => this.end(new Error("The server closed.")));
	}

	post(request: Buffer, answered: (error: Error | null) => void): void {
		this.answered = answered;
		this.socket.write(request);
	}

	close(): void {
		this.answered = null;
		this.socket.destroy();
	}

	private read(chunk: Buffer): void {
		this.bytes =
			this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk]);
		const end = this.bytes.indexOf(END_OF_HEAD);
		if (end < 0) return;
		const head = this.bytes.toString("latin1", 0, end);
		const length = LENGTH.exec(head)?.[1];
		if (length === undefined) {
			this.end(new Error(`An answer does not say its length: ${head}`));
			return;
		}
		if (this.bytes.length < end + END_OF_HEAD.length + Number(length)) return;
		this.bytes = Buffer.alloc(0);
		this.end(head.startsWith("HTTP/1.1 200 ") ? null : new Error(head));
	}

	private end(error: Error | null): void {
		const { answered } = this;
		this.answered = null;
		answered?.(error);
	}
}
