import {
	afterAll,
	afterEach,
	beforeAll,
	beforeEach,
	describe,
	expect,
	test,
} from "vitest";
import { takeOut } from "#usecases/erasing";
import {
	type HeldMessage,
	MessageTooLarge,
	type Stream,
	StreamAway,
	type StreamMessage,
} from "#usecases/ingesting";
import { eventually } from "./eventually.js";

export interface StreamHarness {
	/** Another connection to the same stream. */
	open(options: { readonly holdMs: number }): Promise<Stream>;
	/** An empty stream, as after a first start. */
	reset(): Promise<void>;
	/** Takes the server away without a farewell. */
	kill(): Promise<void>;
	/** Brings it back with what it had stored. */
	revive(): Promise<void>;
	stop(): Promise<void>;
}

const HOLD_MS = 2_000;
const PUBLISH_MS = 30_000;
const EVENTS = "segue.events.click";
const LOG = "segue.log.pack";
const PACK = "segue.events._pack";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (message: StreamMessage) =>
	new TextDecoder().decode(message.body);

/** What every adapter of the port Stream must do. */
export function streamSuite(
	name: string,
	start: () => Promise<StreamHarness>,
): void {
	describe(`${name} as a Stream`, { timeout: 90_000 }, () => {
		let harness: StreamHarness;
		let opened: Stream[] = [];

		const open = async (holdMs = 30_000) => {
			const stream = await harness.open({ holdMs });
			opened.push(stream);
			return stream;
		};
		const publish = (stream: Stream, text: string, subject = EVENTS) =>
			stream.publish(subject, encode(text), text, PUBLISH_MS);
		const pullAll = async (stream: Stream, count: number) => {
			const held: HeldMessage[] = [];
			await eventually(async () => {
				held.push(...(await stream.pull(100, 50)));
				expect(held.length).toBeGreaterThanOrEqual(count);
			});
			return held;
		};

		beforeAll(async () => {
			harness = await start();
		});
		beforeEach(() => harness.reset());
		afterEach(async () => {
			await Promise.all(opened.map((stream) => stream.close()));
			opened = [];
		});
		afterAll(() => harness.stop());

		test("what was published is pulled with its subject, bytes, time and a growing position", async () => {
			const stream = await open();
			const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
			await stream.publish(LOG, bytes, "bytes", PUBLISH_MS);
			await publish(stream, "second");
			const [first, second] = await pullAll(stream, 2);
			expect(first).toMatchObject({ subject: LOG, deliveries: 1 });
			expect([...(first?.body ?? [])]).toEqual([...bytes]);
			expect(second).toMatchObject({ subject: EVENTS, deliveries: 1 });
			expect(second?.position).toBeGreaterThan(
				first?.position ?? Number.POSITIVE_INFINITY,
			);
			expect(Math.abs((first?.storedAt ?? 0) - Date.now())).toBeLessThan(
				60_000,
			);
			expect(Number.isInteger(first?.storedAt)).toBe(true);
		});

		test("what was published survives the death of the server and of the connection", async () => {
			const writer = await open();
			await publish(writer, "kept");
			await harness.kill();
			await writer.close();
			await harness.revive();
			const reader = await open();
			expect((await pullAll(reader, 1)).map(decode)).toEqual(["kept"]);
		});

		test("a second publish under one message id is stored once and is no error", async () => {
			const stream = await open();
			await stream.publish(EVENTS, encode("once"), "same-id", PUBLISH_MS);
			await stream.publish(EVENTS, encode("once"), "same-id", PUBLISH_MS);
			await publish(stream, "last");
			expect((await pullAll(stream, 2)).map(decode)).toEqual(["once", "last"]);
			expect(await stream.backlog()).toBe(2);
		});

		test("erasing takes items out of what learners acknowledged, and leaves what they have not", async () => {
			const stream = await open();
			await publish(stream, "gone", LOG);
			await publish(stream, "kept", LOG);
			for (const held of await pullAll(stream, 2)) held.acknowledge();
			await eventually(async () => expect(await stream.backlog()).toBe(0));
			await publish(stream, "gone later", LOG);
			const takeOut = (body: Uint8Array) =>
				new TextDecoder().decode(body).startsWith("gone") ? "nothing" : "all";
			await eventually(async () =>
				expect(await stream.erase(takeOut, 30_000)).toMatchObject({
					left: 1,
					complete: true,
				}),
			);
			const seen: string[] = [];
			const tail = await stream.tail("segue.log.>", 0, (message) =>
				seen.push(decode(message)),
			);
			await tail.caughtUp;
			await tail.close();
			expect(seen).toEqual(["kept", "gone later"]);
			expect((await pullAll(stream, 1)).map(decode)).toEqual(["gone later"]);
		});

		test("of a pack that three units share erasing takes out the one, or says that it stays until the purge; others' events always stay", async () => {
			const stream = await open();
			const units = ["unit-first", "unit-second", "unit-third"];
			const pack = (name: "decisions" | "events", id: string) => {
				const items = units.map((unit) => ({ id: `${id}-${unit}`, unit }));
				return JSON.stringify({ boot: "b", sequence: 1, [name]: items });
			};
			const read = async (filter: string) => {
				const seen: string[] = [];
				const tail = await stream.tail(filter, 0, (message) =>
					seen.push(decode(message)),
				);
				await tail.caughtUp;
				await tail.close();
				return seen.join();
			};
			await publish(stream, pack("decisions", "shown"), LOG);
			await publish(stream, pack("events", "said"), PACK);
			for (const held of await pullAll(stream, 2)) held.acknowledge();
			await eventually(async () => expect(await stream.backlog()).toBe(0));
			await publish(stream, pack("events", "later"), PACK);

			const gone = new Set(["unit-second"]);
			let removed = 0;
			const { left } = await eventually(async () => {
				const result = await stream.erase(
					(body) => takeOut(body, gone),
					30_000,
				);
				removed += result.deleted + result.shortened;
				expect(result.complete).toBe(true);
				expect(removed + result.left).toBe(3);
				expect(result.left).toBeLessThan(3);
				return result;
			});
			expect(await read("segue.log.>")).not.toContain("unit-second");
			const events = await read("segue.events.>");
			for (const unit of ["unit-first", "unit-third"])
				for (const id of ["said", "later"])
					expect(events).toContain(`${id}-${unit}`);
			const stays = events.includes("said-unit-second");
			expect(events).toContain("later-unit-second");
			expect(left).toBe(stays ? 2 : 1);

			for (const held of await pullAll(stream, 1)) held.acknowledge();
			await eventually(async () => expect(await stream.backlog()).toBe(0));
			await stream.purge(Date.now() + 60_000);
			expect(await read("segue.events.>")).toBe("");
		});

		test("an empty stream gives nothing", async () => {
			const stream = await open();
			expect(await stream.pull(10, 0)).toEqual([]);
			expect(await stream.pull(10, 30)).toEqual([]);
		});

		test("a waiting pull returns with the first message that comes", async () => {
			const stream = await open();
			const waiting = stream.pull(10, 30_000);
			await publish(stream, "awaited");
			expect((await waiting).map(decode)).toEqual(["awaited"]);
		});

		test("a pull gives no more than asked for", async () => {
			const stream = await open();
			for (const text of ["a", "b", "c"]) await publish(stream, text);
			expect((await stream.pull(2, 1_000)).map(decode)).toEqual(["a", "b"]);
			expect((await stream.pull(2, 1_000)).map(decode)).toEqual(["c"]);
		});

		test("the backlog counts messages that wait and messages that are held, until they are acknowledged", async () => {
			const stream = await open();
			for (const text of ["a", "b", "c"]) await publish(stream, text);
			expect(await stream.backlog()).toBe(3);
			const held = await stream.pull(2, 1_000);
			expect(await stream.backlog()).toBe(3);
			for (const message of held) message.acknowledge();
			await eventually(async () => expect(await stream.backlog()).toBe(1));
		});

		test("a message that is not acknowledged comes again, and says so", async () => {
			const dying = await open(HOLD_MS);
			await publish(dying, "again");
			expect((await dying.pull(1, 1_000)).map(decode)).toEqual(["again"]);
			const other = await open(HOLD_MS);
			const [again] = await pullAll(other, 1);
			expect(again && decode(again)).toBe("again");
			expect(again?.deliveries).toBe(2);
		});

		test("an acknowledged message does not come again", async () => {
			const stream = await open(HOLD_MS);
			await publish(stream, "done");
			await publish(stream, "not done");
			const held = await stream.pull(2, 1_000);
			held.find((message) => decode(message) === "done")?.acknowledge();
			expect((await pullAll(stream, 1)).map(decode)).toEqual(["not done"]);
			expect(await stream.backlog()).toBe(1);
		});

		test("a closed stream has said its acknowledgements", async () => {
			const learner = await harness.open({ holdMs: HOLD_MS });
			for (const text of ["a", "b", "c"]) await publish(learner, text);
			for (const message of await pullAll(learner, 3)) message.acknowledge();
			await learner.close();
			const other = await open(HOLD_MS);
			await eventually(async () => expect(await other.backlog()).toBe(0));
		});

		test("a message that is extended stays with its holder, and comes again once that stops", async () => {
			const slow = await open(HOLD_MS);
			await publish(slow, "long work");
			const [held] = await slow.pull(1, 1_000);
			const working = setInterval(() => held?.extend(), HOLD_MS / 10);
			const other = await open(HOLD_MS);
			expect(await other.pull(1, HOLD_MS * 3)).toEqual([]);
			clearInterval(working);
			expect((await pullAll(other, 1)).map(decode)).toEqual(["long work"]);
		});

		test("pullers share the messages, each given to one of them", async () => {
			const texts = Array.from({ length: 400 }, (_, index) => `m${index}`);
			const pullers = [await open(), await open(), await open()];
			await Promise.all(pullers.map((stream) => stream.pull(1, 0)));
			await Promise.all(
				texts.map((text, index) => publish(pullers[index % 3] as Stream, text)),
			);
			const shares: HeldMessage[][] = [[], [], []];
			const total = () => shares.flat().length;
			for (let before = -1; total() > before; ) {
				before = total();
				const round = await Promise.all(
					pullers.map((stream) => stream.pull(9, 300)),
				);
				for (const [index, held] of round.entries())
					shares[index]?.push(...held);
			}
			expect(shares.flat().map(decode).sort()).toEqual([...texts].sort());
			expect(shares.every((share) => share.length > 0)).toBe(true);
			for (const message of shares.flat()) message.acknowledge();
			await eventually(async () => expect(await pullers[0]?.backlog()).toBe(0));
		});

		test("a tail starts at a time, says when it has caught up, and goes on with what comes", async () => {
			const stream = await open();
			await publish(stream, "old");
			const [old] = await pullAll(stream, 1);
			const since = (old?.storedAt ?? 0) + 1;
			await eventually(() => expect(Date.now()).toBeGreaterThan(since));
			await publish(stream, "recent");
			await publish(stream, "other subject", LOG);
			const heard: string[] = [];
			const tail = await stream.tail("segue.events.>", since, (message) =>
				heard.push(decode(message)),
			);
			await tail.caughtUp;
			expect(heard).toEqual(["recent"]);
			await publish(stream, "live");
			await eventually(() => expect(heard).toEqual(["recent", "live"]));
			await tail.close();
			await publish(stream, "after the end");
			expect((await pullAll(stream, 3)).map(decode)).toContain("after the end");
			expect(heard).toEqual(["recent", "live"]);
		});

		test("a tail of an empty stream has caught up at once, and acknowledgements do not hide messages from it", async () => {
			const stream = await open();
			const heard: string[] = [];
			const live = await stream.tail("segue.log.>", 0, (message) =>
				heard.push(decode(message)),
			);
			await live.caughtUp;
			await publish(stream, "acknowledged", LOG);
			for (const message of await pullAll(stream, 1)) message.acknowledge();
			const later: string[] = [];
			const tail = await stream.tail("segue.log.>", 0, (message) =>
				later.push(decode(message)),
			);
			await tail.caughtUp;
			expect(later).toEqual(["acknowledged"]);
			await eventually(() => expect(heard).toEqual(["acknowledged"]));
		});

		test("a tail misses nothing while many publish at once", async () => {
			const [writer, reader] = [await open(), await open()];
			const heard = new Set<string>();
			await reader.tail("segue.events.>", 0, (message) =>
				heard.add(decode(message)),
			);
			const texts = Array.from({ length: 600 }, (_, index) => `m${index}`);
			await Promise.all(texts.map((text) => publish(writer, text)));
			await eventually(() => expect(heard.size).toBe(texts.length));
		});

		test("a reader that throws does not stop the tail", async () => {
			const stream = await open();
			const heard: string[] = [];
			await stream.tail("segue.events.>", 0, (message) => {
				if (decode(message) === "bad") throw new Error("cannot take this one");
				heard.push(decode(message));
			});
			for (const text of ["bad", "good"]) await publish(stream, text);
			await eventually(() => expect(heard).toEqual(["good"]));
		});

		test("an announcement reaches every connection", async () => {
			const [teller, listener] = [await open(), await open()];
			const heard: string[] = [];
			const hear = (experiment: string, revision: number) =>
				heard.push(`${experiment} ${revision}`);
			const subscription = await listener.onAnnouncement(hear);
			teller.announce("genre-prompt", 7);
			teller.announce("mood-playlist", Number.MAX_SAFE_INTEGER);
			const expected = ["genre-prompt 7", "mood-playlist 9007199254740991"];
			await eventually(() => expect([...heard].sort()).toEqual(expected));
			await subscription.close();
			const heardLater: string[] = [];
			await teller.onAnnouncement((experiment, revision) =>
				heardLater.push(`${experiment} ${revision}`),
			);
			teller.announce("genre-prompt", 8);
			await eventually(() => expect(heardLater).toContain("genre-prompt 8"));
			expect(heard).not.toContain("genre-prompt 8");
		});

		test("a purge drops acknowledged messages before its time, and never an unacknowledged one", async () => {
			const stream = await open(HOLD_MS);
			for (const text of ["a", "b", "c", "d", "e"]) await publish(stream, text);
			const held = await stream.pull(4, 1_000);
			for (const message of held)
				if (decode(message) !== "c") message.acknowledge();
			await eventually(async () => expect(await stream.backlog()).toBe(2));
			await stream.purge(Date.now() + 60_000);
			const heard: string[] = [];
			const tail = await stream.tail("segue.events.>", 0, (message) =>
				heard.push(decode(message)),
			);
			await tail.caughtUp;
			// An adapter that knows only an acknowledged floor may keep what lies above it.
			expect(heard.filter((text) => text !== "d")).toEqual(["c", "e"]);
			expect(await stream.backlog()).toBe(2);
			// Held when the purge came, never acknowledged: it must come again.
			const again = new Set<string>();
			await eventually(async () => {
				for (const message of await stream.pull(10, 50))
					again.add(decode(message));
				expect([...again].sort()).toEqual(["c", "e"]);
			});
		});

		test("a purge keeps acknowledged messages that are younger than its time", async () => {
			const stream = await open();
			await publish(stream, "old");
			const [old] = await pullAll(stream, 1);
			await eventually(() =>
				expect(Date.now()).toBeGreaterThan((old?.storedAt ?? 0) + 2),
			);
			await publish(stream, "young");
			const [young] = await pullAll(stream, 1);
			old?.acknowledge();
			young?.acknowledge();
			await eventually(async () => expect(await stream.backlog()).toBe(0));
			await stream.purge(young?.storedAt ?? 0);
			const heard: string[] = [];
			const tail = await stream.tail("segue.events.>", 0, (message) =>
				heard.push(decode(message)),
			);
			await tail.caughtUp;
			expect(heard).toEqual(["young"]);
		});

		test("a message that is too large is refused, and the connection stays good", async () => {
			const stream = await open();
			const large = new Uint8Array(2 * 1_048_576);
			await expect(
				stream.publish(EVENTS, large, "large", PUBLISH_MS),
			).rejects.toBeInstanceOf(MessageTooLarge);
			await publish(stream, "small");
			expect(stream.connected).toBe(true);
			expect((await pullAll(stream, 1)).map(decode)).toEqual(["small"]);
		});

		test("a publish that rides on a dying server rejects, and may be repeated under its id", async () => {
			const stream = await open();
			await harness.kill();
			await expect(publish(stream, "unsure")).rejects.toThrow();
			await harness.revive();
			await eventually(() => publish(stream, "unsure"));
			await eventually(() => publish(stream, "unsure"));
			expect((await pullAll(stream, 1)).map(decode)).toEqual(["unsure"]);
			expect(await stream.backlog()).toBe(1);
		});

		test("while the server is away it says so and refuses at once; when it is back all goes on where it was", async () => {
			const stream = await open();
			const heard: string[] = [];
			const announced: number[] = [];
			const tail = await stream.tail("segue.events.>", 0, (message) =>
				heard.push(decode(message)),
			);
			await stream.onAnnouncement((_, revision) => announced.push(revision));
			await publish(stream, "before");
			await eventually(() => expect(heard).toEqual(["before"]));

			await harness.kill();
			await eventually(() => expect(stream.connected).toBe(false));
			await expect(publish(stream, "refused")).rejects.toBeInstanceOf(
				StreamAway,
			);
			expect(await stream.pull(10, 10)).toEqual([]);

			await harness.revive();
			await eventually(() => expect(stream.connected).toBe(true));
			await eventually(() => publish(stream, "after"));
			expect((await pullAll(stream, 2)).map(decode)).toEqual([
				"before",
				"after",
			]);
			await eventually(() =>
				expect([...new Set(heard)]).toEqual(["before", "after"]),
			);
			await eventually(() => {
				stream.announce("genre-prompt", 1);
				expect(announced).toContain(1);
			});
			await tail.close();
		});
	});
}
