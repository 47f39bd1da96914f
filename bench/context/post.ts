import { type Agent, request } from "node:http";

/** The answer's JSON. Rejects with the whole answer where its status is not 2xx. */
export function post(
	agent: Agent,
	url: string,
	content: unknown,
	method: "POST" | "PUT" = "POST",
): Promise<unknown> {
	const body = JSON.stringify(content);
	const headers = {
		"content-type": "application/json",
		"content-length": Buffer.byteLength(body),
	};
	return new Promise((resolve, reject) => {
		const sending = request(url, { method, agent, headers }, (answer) => {
			const parts: Buffer[] = [];
			answer.on("data", (part: Buffer) => parts.push(part));
			answer.once("end", () => {
				const text = Buffer.concat(parts).toString();
				if ((answer.statusCode ?? 500) < 300) resolve(JSON.parse(text));
				else
					reject(new Error(`${method} ${url}: ${answer.statusCode} ${text}`));
			});
		});
		sending.once("error", reject);
		sending.end(body);
	});
}
