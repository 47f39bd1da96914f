import {
	type ConnectionOptions,
	connect,
	type NatsConnection,
} from "@nats-io/transport-node";

/** A dead or frozen server is noticed after about (PING_OUT + 1) × PING_MS. */
const PING_MS = 350;
const PING_OUT = 2;
const RECONNECT_MS = 200;

/** Connects, trying for `timeoutMs`, and afterwards reconnects for ever. */
export async function connectNats(
	servers: string,
	name: string,
	timeoutMs: number,
): Promise<NatsConnection> {
	const trying = connect({
		...endpoints(servers),
		name,
		pingInterval: PING_MS,
		maxPingOut: PING_OUT,
		maxReconnectAttempts: -1,
		reconnectTimeWait: RECONNECT_MS,
		reconnectJitter: RECONNECT_MS / 2,
		waitOnFirstConnect: true,
		timeout: 2_000,
	});
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => {
			reject(
				new Error(
					`No NATS server answered at ${publicServers(servers)} within ${timeoutMs} ms. Start nats-server with -js, or mend NATS_URL.`,
				),
			);
		}, timeoutMs);
	});
	try {
		return await Promise.race([trying, late]);
	} catch (error) {
		trying.then((connection) => connection.close()).catch(() => {});
		throw error;
	} finally {
		clearTimeout(timer);
	}
}

/** The servers without user and password, for people and logs. */
export function publicServers(servers: string): string {
	return servers.split(",").map(withoutUser).join(",");
}

/** The client takes user and password as options only, so they are cut out of the URL here. */
function endpoints(
	servers: string,
): Pick<ConnectionOptions, "servers" | "user" | "pass" | "token"> {
	const list = servers.split(",").map((server) => server.trim());
	const { username, password } = parse(list[0] ?? "");
	const credentials =
		password === ""
			? username === ""
				? {}
				: { token: username }
			: { user: username, pass: password };
	return { servers: list.map(withoutUser), ...credentials };
}

function withoutUser(server: string): string {
	return server.trim().replace(/\/\/[^@/]*@/, "//");
}

function parse(server: string): { username: string; password: string } {
	const found = /\/\/([^@/:]*)(?::([^@/]*))?@/.exec(server);
	return {
		username: decodeURIComponent(found?.[1] ?? ""),
		password: decodeURIComponent(found?.[2] ?? ""),
	};
}
