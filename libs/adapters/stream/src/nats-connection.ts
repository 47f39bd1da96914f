import { connect, type NatsConnection } from "@nats-io/transport-node";

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
		...natsEndpoints(servers),
		name,
		pingInterval: PING_MS,
		maxPingOut: PING_OUT,
		maxReconnectAttempts: -1,
		reconnectTimeWait: RECONNECT_MS,
		reconnectJitter: RECONNECT_MS / 2,
		waitOnFirstConnect: true,
		// A stack for each publish, in case it fails, was 2 % of a decider's time.
		noAsyncTraces: true,
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
	return split(servers)
		.map(({ server }) => server)
		.join(",");
}

/** What a NATS client connects with. */
export interface NatsEndpoints {
	/** Without user and password. */
	readonly servers: string[];
	readonly user?: string;
	readonly pass?: string;
	/** Instead of both, where the URL names a user without a password. */
	readonly token?: string;
}

/**
 * One or several comma-separated URLs as options of a NATS client, which takes user and password only there and ignores those of a
 * URL. They are read from the first server and hold for all.
 */
export function natsEndpoints(url: string): NatsEndpoints {
	const all = split(url);
	return {
		servers: all.map(({ server }) => server),
		...credentials(all[0]?.user ?? null),
	};
}

interface Endpoint {
	readonly server: string;
	/** `user:password` or a token, as written; null without. */
	readonly user: string | null;
}

/** A user ends at the last `@`, since a password may hold `@` and `/` that nobody escaped. */
function split(servers: string): Endpoint[] {
	return servers.split(",").map((one) => {
		const text = one.trim();
		const at = text.lastIndexOf("@");
		if (at < 0) return { server: text, user: null };
		const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0] ?? "";
		return {
			server: scheme + text.slice(at + 1),
			user: text.slice(scheme.length, at),
		};
	});
}

function credentials(
	user: string | null,
): Pick<NatsEndpoints, "user" | "pass" | "token"> {
	if (user === null || user === "") return {};
	const colon = user.indexOf(":");
	if (colon < 0) return { token: unescaped(user) };
	return {
		user: unescaped(user.slice(0, colon)),
		pass: unescaped(user.slice(colon + 1)),
	};
}

/** A password may hold a `%` that begins no escape: then it is meant as written. */
function unescaped(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}
