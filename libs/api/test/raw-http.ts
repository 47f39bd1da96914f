import { connect, type Socket } from "node:net";
import { ask } from "./app.js";

/** Requests written byte by byte as a test wants them, and answers as they come over the wire. */

export const body = JSON.stringify(ask);
export const plain = [
	"host: x",
	"content-type: application/json",
	`content-length: ${body.length}`,
];

/** A request for a decision with header lines of its own. */
export function request(
	lines: readonly string[] = plain,
	own = body,
	first = "POST /v1/decisions HTTP/1.1",
): string {
	return `${[first, ...lines].join("\r\n")}\r\n\r\n${own}`;
}

export async function dial({ url }: { readonly url: string }): Promise<Socket> {
	const { hostname, port } = new URL(url);
	const socket = connect(Number(port), hostname).setNoDelay(true);
	await new Promise((resolve) => socket.once("connect", resolve));
	return socket;
}

export interface Heard {
	readonly status: number;
	readonly head: string;
	readonly text: string;
}

/** The next so many answers on the connection; fewer where it closes before. */
export function hear(socket: Socket, count: number): Promise<Heard[]> {
	return new Promise((resolve) => {
		let text = "";
		const answers: Heard[] = [];
		const take = (chunk: Buffer) => {
			text += chunk.toString("latin1");
			while (answers.length < count) {
				const at = text.indexOf("\r\n\r\n");
				if (at < 0) return;
				const head = text.slice(0, at);
				const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
				if (text.length < at + 4 + length) return;
				answers.push({
					status: Number(head.slice(9, 12)),
					head,
					text: text.slice(at + 4, at + 4 + length),
				});
				text = text.slice(at + 4 + length);
			}
			done();
		};
		const done = () => {
			socket.off("data", take).off("close", done);
			resolve(answers);
		};
		socket.on("data", take).on("close", done);
	});
}

export const statuses = (answers: readonly Heard[]) =>
	answers.map(({ status }) => status);
export const soon = () => new Promise((resolve) => setTimeout(resolve, 20));

/** One write, and the answers to it. */
export async function exchange(
	api: { readonly url: string },
	text: string,
	count = 1,
): Promise<Heard[]> {
	const socket = await dial(api);
	const answering = hear(socket, count);
	socket.write(text);
	const answers = await answering;
	socket.destroy();
	return answers;
}
