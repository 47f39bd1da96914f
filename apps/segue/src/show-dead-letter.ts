import type { KeptLetter } from "#usecases/redriving";

const MOST_SHOWN = 200;

/** The payload as text, in base64 where it is no UTF-8, null where nothing was kept. */
export function letterAsJson({
	payload,
	receivedAt,
	redrivenAt,
	...letter
}: KeptLetter) {
	const text = utf8(payload);
	return {
		...letter,
		receivedAt: new Date(receivedAt).toISOString(),
		redrivenAt: redrivenAt === null ? null : new Date(redrivenAt).toISOString(),
		...(text === null
			? { payloadBase64: Buffer.from(payload).toString("base64") }
			: { payload: text === "" ? null : text }),
	};
}

/** Three lines: when and where, why, and what. */
export function letterInWords({
	id,
	subject,
	reason,
	payload,
	receivedAt,
	redrivenAt,
}: KeptLetter): string {
	const again =
		redrivenAt === null
			? ""
			: `, published again ${new Date(redrivenAt).toISOString()}`;
	const what =
		payload.length === 0
			? "(nothing of it was kept, so it cannot be published again)"
			: plain(utf8(payload) ?? Buffer.from(payload).toString("latin1"));
	return `${id}  ${new Date(receivedAt).toISOString()}  ${plain(subject)}${again}\n  ${plain(reason)}\n  ${what}`;
}

/** Anyone may have sent it: nothing in it may steer the terminal. */
function plain(text: string): string {
	const short =
		text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)} …` : text;
	return short.replace(/\p{C}/gu, "\ufffd");
}

function utf8(bytes: Uint8Array): string | null {
	try {
		return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
	} catch {
		return null;
	}
}
