import { BlockList, isIP } from "node:net";
import type { Reader } from "./reader.js";

export interface WebhookSetting {
	readonly url: string;
	/** `whsec_` and base64. */
	readonly secret: string;
}

const URL_VARIABLE = "SEGUE_WEBHOOK_URL";
const SECRET_VARIABLE = "SEGUE_WEBHOOK_SECRET";
const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
/** As Standard Webhooks 1.0.0 has it. */
const LEAST_BYTES = 24;
const MOST_BYTES = 64;

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Both variables or neither. Neither is ever quoted: the URL's path may be a secret too. */
export function readWebhook(reader: Reader): WebhookSetting | null {
	const url = reader.text(URL_VARIABLE);
	const secret = reader.text(SECRET_VARIABLE);
	if (url === null && secret === null) return null;
	const problems = [urlProblem(url), secretProblem(secret)].filter(
		(problem) => problem !== null,
	);
	reader.problems.push(...problems);
	return problems.length > 0 ? null : ({ url, secret } as WebhookSetting);
}

function urlProblem(text: string | null): string | null {
	if (text === null)
		return `${SECRET_VARIABLE} is set without ${URL_VARIABLE}: set both, or neither.`;
	if (!URL.canParse(text))
		return `${URL_VARIABLE} is not a URL that can be used: write it as https://host/path.`;
	const { protocol, hostname, username, password } = new URL(text);
	if (username !== "" || password !== "")
		return `${URL_VARIABLE} holds a name or password: leave them out; the receiver knows Segue by its signature.`;
	if (protocol === "https:" || (protocol === "http:" && isLocal(hostname)))
		return null;
	return `${URL_VARIABLE} must begin with https://; http:// is for this machine alone, such as http://localhost:3000/hook.`;
}

function secretProblem(text: string | null): string | null {
	if (text === null)
		return `${URL_VARIABLE} is set without ${SECRET_VARIABLE}: make one with echo whsec_$(openssl rand -base64 32), and give it to the receiver too.`;
	const base64 = SECRET.exec(text)?.[1];
	if (base64 === undefined)
		return `${SECRET_VARIABLE} must be whsec_ and base64: make one with echo whsec_$(openssl rand -base64 32).`;
	const { length } = Buffer.from(base64, "base64");
	if (length >= LEAST_BYTES && length <= MOST_BYTES) return null;
	return `${SECRET_VARIABLE} has ${length} bytes, and must have ${LEAST_BYTES} to ${MOST_BYTES}: make one with echo whsec_$(openssl rand -base64 32).`;
}

function isLocal(hostname: string): boolean {
	const host = hostname.replace(/^\[|\]$/g, "");
	const version = isIP(host);
	return version === 0
		? host === "localhost" || host.endsWith(".localhost")
		: loopback.check(host, version === 4 ? "ipv4" : "ipv6");
}
