import {
	createServer,
	connect as dial,
	type Server,
	type Socket,
} from "node:net";

/** A way to a server that can be cut and mended, as a network can. */
export interface Proxy {
	readonly port: number;
	/** Ends what goes through and refuses more. */
	cut(): Promise<void>;
	/** Lets connections through again, on the same port. */
	mend(): Promise<void>;
	close(): Promise<void>;
}

export async function startProxy(to: {
	readonly host: string;
	readonly port: number;
}): Promise<Proxy> {
	const open = new Set<Socket>();
	let server: Server | null = null;
	let port = 0;
	const listen = () =>
		new Promise<void>((resolve, reject) => {
			server = createServer((inward) => {
				const outward = dial(to);
				for (const [from, into] of [
					[inward, outward],
					[outward, inward],
				] as const) {
					open.add(from);
					from.pipe(into);
					from.on("error", () => into.destroy());
					from.on("close", () => {
						open.delete(from);
						into.destroy();
					});
				}
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
	return { port, cut, mend: listen, close: cut };
}
