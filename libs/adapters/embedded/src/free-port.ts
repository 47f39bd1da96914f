import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";

const LOOPBACK = "127.0.0.1";

/** A TCP port that was free on loopback a moment ago. */
export async function freePort(): Promise<number> {
	const port = await listenOnce(0);
	if (port === null) throw new Error("No free TCP port is left on 127.0.0.1.");
	return port;
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
