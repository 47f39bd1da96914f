import { describe, expect, it } from "vitest";
import type { KeptLetter } from "#usecases/redriving";
import { letterAsJson, letterInWords } from "./show-dead-letter.js";

const letter = (payload: Uint8Array): KeptLetter => ({
	id: 7,
	subject: "segue.events.play",
	reason: "bad event: no id",
	payload,
	receivedAt: Date.UTC(2026, 0, 5, 7, 30),
	redrivenAt: null,
	redrives: 0,
});
const utf8 = (text: string) => new TextEncoder().encode(text);

describe("a dead letter that is shown", () => {
	it("says when and where it came, why it was refused, and what it was", () => {
		expect(letterInWords(letter(utf8('{"id":1}')))).toBe(
			'7  2026-01-05T07:30:00.000Z  segue.events.play\n  bad event: no id\n  {"id":1}',
		);
		expect(letterAsJson(letter(utf8('{"id":1}')))).toMatchObject({
			payload: '{"id":1}',
			receivedAt: "2026-01-05T07:30:00.000Z",
		});
	});

	it("says that nothing of it was kept where that is so", () => {
		const empty = letter(new Uint8Array());
		expect(letterInWords(empty)).toContain(
			"\n  (nothing of it was kept, so it cannot be published again)",
		);
		expect(letterAsJson(empty)).toMatchObject({ payload: null });
	});

	it("steers no terminal, and is in base64 where it is no text", () => {
		expect(letterInWords(letter(utf8("\u001b[2J")))).toContain("\n  \ufffd[2J");
		expect(letterAsJson(letter(Uint8Array.of(255)))).toMatchObject({
			payloadBase64: "/w==",
		});
	});
});
