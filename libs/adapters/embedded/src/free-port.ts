import { randomInt } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";

const LOOPBACK = "127.0.0.1";

/**
 * Below what kernels give out by themselves, so that no outgoing connection takes the port between now and its use; beyond 10080, the last
 * port that fetch and browsers refuse to ask (https://fetch.spec.whatwg.org/#port-blocking).
 */
const LOWEST = 10_081;
const BEYOND = 32_000;
const TRIES = 100;

/** A TCP port that was free on loopback a moment ago, chosen at random so that two who ask at once seldom get the same. */
export async function freePort(): Promise<number> {
	for (let tries = 0; tries < TRIES; tries++) {
		const port = await listenOnce(randomInt(LOWEST, BEYOND));
		if (port !== null) return port;
	}
	throw new Error(`No free TCP port was found on ${LOOPBACK}.`);
}

/**
 * The port named in `file` where it is still free, so that clients find a restarted server at the
 * address they know; else a free one. What is chosen is written to `file`.
 */
export async function rememberedPort(file: string): Promise<number> {
	const remembered = Number(await readFile(file, "utf8").catch(() => ""));
	const usable =
		Number.isInteger(remembered) && remembered > 0 && remembered < 65_536;
	const port =
		(usable ? await listenOnce(remembered) : null) ?? (await freePort());
	await writeFile(file, `${port}\n`, { mode: 0o600 });
	return port;
}

/** The port that could be listened on, or null where it is taken. */
function listenOnce(port: number): Promise<number | null> {
	return new Promise((resolve) => {
		const server = createServer();
		server.once("error", () => resolve(null));
		server.listen(port, LOOPBACK, () => {
			const address = server.address();
			const found =
				address !== null && typeof address === "object" ? address.port : null;
			server.close(() => resolve(found));
		});
	});
}
