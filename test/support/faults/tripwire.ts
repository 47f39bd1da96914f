import { createServer, connect as dial, type Socket } from "node:net";
import type { Framer, Protocol } from "./wire-frames.js";

type Side = "client" | "server";

/** A frame to be stopped at. */
export interface Mark {
	readonly from: Side;
	readonly says: RegExp;
	/** Only on a connection whose client said this since it last began a transaction. */
	readonly behind?: RegExp;
}

/** A way to a server on which everything stops as soon as something certain is said. */
export interface Tripwire {
	readonly port: number;
	/**
	 * The first frame that fits is held back, with all that follows it in its direction of its connection, and the promise resolves: to the
	 * process id of a PostgreSQL connection's backend. What came before it went through.
	 */
	lay(mark: Mark): Promise<number | null>;
	/** Takes the wire up; what was held arrives. */
	release(): void;
	/** Takes the wire up; what was held is lost, as its connection is. */
	lose(): void;
	close(): Promise<void>;
}

interface Wire {
	readonly mark: Mark;
	readonly met: (backend: number | null) => void;
	/** The direction that stands still, once it does. */
	held: Way | null;
}

interface Connection {
	backend: number | null;
	readonly said: Set<Wire>;
}

interface Way {
	readonly into: Socket;
	readonly waiting: Buffer[];
}

export async function startTripwire(
	to: { readonly host: string; readonly port: number },
	protocol: Protocol,
): Promise<Tripwire> {
	const open = new Set<Socket>();
	let wire: Wire | null = null;

	/** Sends on what came, up to the mark. */
	const carry = (
		connection: Connection,
		side: Side,
		from: Socket,
		into: Socket,
		framed: Framer,
	) => {
		const way: Way = { into, waiting: [] };
		from.on("data", (chunk) => {
			for (const { bytes, says } of framed(chunk)) {
				const backend = /^backend (\d+)$/.exec(says);
				if (side === "server" && backend) connection.backend = +backend[1]!;
				if (wire?.held === null) {
					const { mark } = wire;
					if (side === "client" && /^begin\b/.test(says))
						connection.said.delete(wire);
					if (side === "client" && mark.behind?.test(says))
						connection.said.add(wire);
					const follows =
						mark.behind === undefined || connection.said.has(wire);
					if (side === mark.from && follows && mark.says.test(says)) {
						wire.held = way;
						wire.met(connection.backend);
					}
				}
				if (wire?.held === way) way.waiting.push(bytes);
				else if (!into.destroyed) into.write(bytes);
			}
		});
		// A client that dies is dead to the server at once: what of it was held never arrives.
		from.on("end", () => into.end());
		from.on("error", () => into.destroy());
		from.on("close", () => into.end());
	};

	const server = createServer((inward) => {
		const outward = dial(to);
		for (const socket of [inward, outward]) {
			// Frames go one by one: the kernel would hold each back for 40 ms.
			socket.setNoDelay(true);
			open.add(socket);
			socket.on("close", () => open.delete(socket));
		}
		const connection: Connection = { backend: null, said: new Set() };
		carry(connection, "client", inward, outward, protocol.client());
		carry(connection, "server", outward, inward, protocol.server());
	});
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		server.listen(0, "127.0.0.1", resolve);
	});
	const address = server.address();
	if (address === null || typeof address !== "object")
		throw new Error("The tripwire has no port.");
	return {
		port: address.port,
		lay: (mark) =>
			new Promise((met) => {
				wire = { mark, met, held: null };
			}),
		release: () => {
			const held = wire?.held;
			wire = null;
			for (const bytes of held?.waiting ?? [])
				if (!held?.into.destroyed) held?.into.write(bytes);
		},
		lose: () => {
			wire?.held?.into.destroy();
			wire = null;
		},
		close: async () => {
			for (const socket of open) socket.destroy();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}
