import { STATUS_CODES } from "node:http";

/** The head of an answer as Node's server would write it. `keepAliveMs` null: the connection closes after it. */
export function answerHead(
	status: number,
	headers: Readonly<Record<string, string>>,
	length: number,
	keepAliveMs: number | null,
): string {
	let own = "";
	for (const name in headers) own += `${name}: ${headers[name]}\r\n`;
	const connection =
		keepAliveMs === null
			? "close"
			: `keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1_000)}`;
	return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${own}content-length: ${length}\r\nDate: ${httpDate(Date.now())}\r\nConnection: ${connection}\r\n\r\n`;
}

let second = Number.NaN;
let text = "";

/** Made once a second. */
function httpDate(now: number): string {
	const current = Math.floor(now / 1_000);
	if (current !== second) {
		second = current;
		text = new Date(now).toUTCString();
	}
	return text;
}
