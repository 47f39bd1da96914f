import {
	createServer,
	connect as dial,
	type Server,
	type Socket,
} from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export type Direction = "to server" | "to client";

/** A way to a server that can be cut and mended, slow, or silent in one direction, as a network can. */
export interface Proxy {
	readonly port: number;
	/** Ends what goes through and refuses more. */
	cut(): Promise<void>;
	/** Lets connections through again, on the same port. */
	mend(): Promise<void>;
	/** What goes in these directions, else what comes from the server, arrives so much later; 0 ends it in both. */
	delay(ms: number, directions?: readonly Direction[]): void;
	/** Nothing arrives in this direction any more, not even that a connection has ended; null lets all of it arrive. */
	swallow(direction: Direction | null): void;
	close(): Promise<void>;
}

/** The weather in one direction. */
interface Sky {
	delayMs: number;
	/** Resolved while bytes pass. */
	open: Promise<void>;
}

/** Of one connection; a sender that is not read from waits, as with TCP. */
const MOST_HELD_BYTES = 1_048_576;

export async function startProxy(to: {
	readonly host: string;
	readonly port: number;
}): Promise<Proxy> {
	const open = new Set<Socket>();
	const skies: Record<Direction, Sky> = {
		"to server": { delayMs: 0, open: Promise.resolve() },
		"to client": { delayMs: 0, open: Promise.resolve() },
	};
	let clear: () => void = () => undefined;
	let server: Server | null = null;
	let port = 0;
	const listen = () =>
		new Promise<void>((resolve, reject) => {
			server = createServer((inward) => {
				const outward = dial(to);
				for (const socket of [inward, outward]) {
					open.add(socket);
					socket.on("close", () => open.delete(socket));
				}
				carry(inward, outward, skies["to server"]);
				carry(outward, inward, skies["to client"]);
			});
			server.once("error", reject);
			server.listen(port, "127.0.0.1", () => {
				const address = server?.address();
				if (address !== null && typeof address === "object")
					port = address.port;
				resolve();
			});
		});
	const cut = () =>
		new Promise<void>((resolve) => {
			for (const socket of open) socket.destroy();
			if (server === null) return resolve();
			server.close(() => resolve());
			server = null;
		});
	await listen();
	return {
		port,
		cut,
		mend: listen,
		delay: (ms, directions = ["to client"]) => {
			for (const direction of ["to server", "to client"] as const)
				skies[direction].delayMs = directions.includes(direction) ? ms : 0;
		},
		swallow: (direction) => {
			clear();
			clear = () => undefined;
			if (direction === null) return;
			skies[direction].open = new Promise((resolve) => {
				clear = resolve;
			});
		},
		close: async () => {
			clear();
			await cut();
		},
	};
}

/** One direction of one connection: bytes in order, each when the sky lets it through, its end behind them. */
function carry(from: Socket, into: Socket, sky: Sky): void {
	let last = Promise.resolve();
	let held = 0;
	const pass = (what: () => void) => {
		const due = performance.now() + sky.delayMs;
		last = last.then(async () => {
			const early = due - performance.now();
			if (early > 0) await sleep(early);
			await sky.open;
			what();
		});
	};
	from.on("data", (chunk) => {
		held += chunk.length;
		if (held > MOST_HELD_BYTES) from.pause();
		pass(() => {
			held -= chunk.length;
			if (held <= MOST_HELD_BYTES) from.resume();
			if (!into.destroyed) into.write(chunk);
		});
	});
	from.on("end", () => pass(() => into.end()));
	from.on("error", () => pass(() => into.destroy()));
	from.on("close", () => pass(() => into.destroy()));
}
