import { describe, expect, it } from "vitest";
import { MemoryBroker, MemoryDeadLetters } from "#adapters/memory";
import { Redrive } from "./redrive.js";

const utf8 = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function withLetters(...payloads: string[]) {
	const letters = new MemoryDeadLetters();
	for (const payload of payloads)
		letters.add({
			subject: "segue.events.play",
			reason: "bad event: no id",
			payload: utf8(payload),
			receivedAt: 1_000,
		});
	const broker = new MemoryBroker();
	const stream = broker.open();
	const stored = () => broker.messages.map(({ body }) => text(body));
	return { letters, broker, stream, stored };
}

const marks = async (letters: MemoryDeadLetters) =>
	(await letters.newest({}, 1_000)).map(({ redrives }) => redrives).reverse();

describe("redriving", () => {
	it("publishes each letter as it came on its subject, once, and marks it", async () => {
		const payloads = Array.from({ length: 250 }, (_, i) => `letter ${i}`);
		const { letters, broker, stream, stored } = withLetters(...payloads);
		const redrive = new Redrive(letters, stream);
		const done = await redrive.execute({ waiting: true });
		expect(done).toMatchObject({ refused: [], stopped: null });
		expect(done.redriven).toEqual(payloads.map((_, i) => i + 1));
		expect(stored().sort()).toEqual([...payloads].sort());
		expect(broker.messages[0]?.subject).toBe("segue.events.play");
		expect((await redrive.execute({ waiting: true })).redriven).toEqual([]);
		expect(stored().length).toBe(250);
	});

	it("that crashed between publish and mark publishes under the same id, so the stream keeps one; asked again later it is another", async () => {
		const { letters, stream, stored } = withLetters("a");
		const mark = letters.mark.bind(letters);
		letters.mark = () => Promise.reject(new Error("The process ended here."));
		const redrive = new Redrive(letters, stream);
		await expect(redrive.execute({ waiting: true })).rejects.toThrow("ended");
		expect(stored()).toEqual(["a"]);
		letters.mark = mark;
		expect((await redrive.execute({ waiting: true })).redriven).toEqual([1]);
		expect(stored()).toEqual(["a"]);
		expect((await redrive.execute({ ids: [1] })).redriven).toEqual([1]);
		expect(stored()).toEqual(["a", "a"]);
		expect(await marks(letters)).toEqual([2]);
	});

	it("leaves what is refused again for the next call, so that it ends", async () => {
		const { letters, stream } = withLetters("a", "b");
		const again = {
			publish: async (...call: Parameters<typeof stream.publish>) => {
				await stream.publish(...call);
				const [subject, payload] = call;
				letters.add({ subject, payload, reason: "again", receivedAt: 2_000 });
			},
		};
		const done = await new Redrive(letters, again).execute({ waiting: true });
		expect(done.redriven).toEqual([1, 2]);
		expect(await marks(letters)).toEqual([1, 1, 0, 0]);
	});

	it("says in a sentence which letter no stream takes, and goes on with the others", async () => {
		const { letters, stream, stored } = withLetters("x".repeat(1_100_000), "b");
		letters.add({
			subject: "?",
			reason: "unstorable",
			payload: new Uint8Array(),
			receivedAt: 1_000,
		});
		const done = await new Redrive(letters, stream).execute({ waiting: true });
		expect(done.redriven).toEqual([2]);
		expect(done.refused).toEqual([
			{ id: 1, why: expect.stringContaining("1100000 bytes") },
			{ id: 3, why: expect.stringContaining("subject ?") },
		]);
		expect(stored()).toEqual(["b"]);
		expect(await marks(letters)).toEqual([0, 1, 0]);
	});

	it("says of a letter of which nothing was kept that it cannot be published, and does not make another one of it", async () => {
		const { letters, stream, stored } = withLetters("", "b");
		const redrive = new Redrive(letters, stream);
		const done = await redrive.execute({ waiting: true });
		expect(done).toMatchObject({ redriven: [2], stopped: null });
		expect(done.refused).toEqual([
			{ id: 1, why: expect.stringContaining("Nothing of it was kept") },
		]);
		expect(stored()).toEqual(["b"]);
		expect(await marks(letters)).toEqual([0, 1]);
		const again = await redrive.execute({ ids: [1] });
		expect(again.refused).toEqual(done.refused);
	});

	it("stops with a sentence where the stream is away, and marks only what it took", async () => {
		const { letters, broker, stream } = withLetters("a", "b");
		broker.setUp(false);
		const done = await new Redrive(letters, stream).execute({ waiting: true });
		expect(done.redriven).toEqual([]);
		expect(done.stopped).toContain("out of reach");
		expect(await marks(letters)).toEqual([0, 0]);
	});
});
