import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MemoryBroker, MemorySpool } from "#adapters/memory";
import {
	type DecisionRow,
	type DecodedMessage,
	decodeMessage,
	type Event,
	LOG_SUBJECT,
} from "#core/log";
import {
	MessageTooLarge,
	type Spool,
	SpoolFull,
	type Stream,
} from "./ports.js";
import { Publisher } from "./publisher.js";

const BOOT = "6f1d0f3e-9f0a-4f6e-8d7b-000000000001";
const LONG_MS = 30_000;

let broker: MemoryBroker;
let spool: Spool;
let publisher: Publisher;

beforeEach(() => begin());
afterEach(() => publisher.stop());

function begin(kept: Spool = new MemorySpool()): void {
	broker = new MemoryBroker();
	spool = kept;
	publisher = new Publisher(broker.open(), spool, { boot: BOOT });
}

/** A UUIDv7 that ends in `number`. */
const idOf = (number: number) =>
	`0199a000-0000-7000-8000-${String(number).padStart(12, "0")}`;

function row(
	number: number,
	context: DecisionRow["context"] = { hour: 7 },
): DecisionRow {
	return {
		id: idOf(number),
		experiment: "genre-prompt",
		version: 1,
		definitionId: 1,
		unit: `unit-${number}`,
		session: null,
		group: "policy",
		arm: "focus",
		propensity: 0.75,
		distribution: "policy",
		context,
		x: Float64Array.of(1, 0.5),
		eligible: [0, 1],
		excluded: {},
		means: Float64Array.of(0.25, 0),
		propensities: Float64Array.of(0.75, 0.25),
		policyPropensities: null,
		missing: [],
		degraded: [],
		decidedAt: 0x0199a0000000,
		origin: "server",
		parent: null,
		traceId: null,
		requestId: null,
		consent: null,
		privacyVersion: null,
		extra: null,
		revision: 3,
		referenceBucket: 20_000,
		coreVersion: "e1k1d1",
	};
}

function event(number: number, properties?: Event["properties"]): Event {
	return {
		id: `event-${number}`,
		type: "play",
		at: 1_700_000_000_000 + number,
		unit: "unit-1",
		properties,
	};
}

const stored = (): DecodedMessage[] =>
	broker.messages.map(({ subject, body }) => decodeMessage(subject, body));
const valuesOf = (messages: readonly DecodedMessage[]) =>
	messages.flatMap(({ items }) =>
		items.map((item) =>
			item.ok ? item.value : expect.unreachable(item.reason),
		),
	);
const storedIds = () =>
	valuesOf(stored())
		.map(({ id }) => id)
		.sort();
const sequences = () => stored().map((message) => message.publisher?.sequence);
const upTo = (count: number) =>
	Array.from({ length: count }, (_, index) => index + 1);

async function eventually(check: () => void | Promise<void>): Promise<void> {
	for (const deadline = Date.now() + 20_000; ; ) {
		try {
			return await check();
		} catch (error) {
			if (Date.now() > deadline) throw error;
			await new Promise((resolve) => setTimeout(resolve, 10));
		}
	}
}

describe("while the stream takes messages", () => {
	test("a decision is in the stream, whole, before it is said to be", async () => {
		expect(await publisher.decision(row(1), LONG_MS)).toBe("stream");
		expect(valuesOf(stored())).toEqual([row(1)]);
		expect(spool.count).toBe(0);
		expect(publisher.degraded).toBe(false);
	});

	test("decisions made while others are on their way ride together", async () => {
		await Promise.all(
			upTo(1_000).map((number) => publisher.decision(row(number), LONG_MS)),
		);
		expect(storedIds()).toEqual(upTo(1_000).map(idOf));
		expect(broker.messages.length).toBeLessThan(20);
	});

	test("each pack of decisions is told of once it is safe, before those who wait for it are, and events are not", async () => {
		const told: string[] = [];
		const onSafe = (rows: readonly DecisionRow[], pack: Uint8Array) => {
			const { items } = decodeMessage(LOG_SUBJECT, pack);
			expect(items.map((item) => item.ok && item.value)).toEqual(rows);
			told.push(...rows.map(({ id }) => id));
		};
		const telling = new Publisher(broker.open(), spool, { boot: BOOT, onSafe });
		await telling.events([event(1)], LONG_MS);
		const waits = upTo(3).map(async (number) => {
			await telling.decision(row(number), LONG_MS);
			expect(told).toContain(idOf(number));
		});
		await Promise.all(waits);
		expect(told).toEqual(upTo(3).map(idOf));
		await telling.stop();
	});

	test("decisions and events share one numbering without holes", async () => {
		for (const number of upTo(5)) {
			await publisher.decision(row(number), LONG_MS);
			await publisher.events([event(number)], LONG_MS);
		}
		expect(sequences()).toEqual(upTo(10));
		expect(new Set(stored().map((message) => message.publisher?.boot))).toEqual(
			new Set([BOOT]),
		);
	});

	test("a message stays below its bound however large its items are", async () => {
		const labels = Object.fromEntries(
			upTo(9).map((part) => [`part${part}`, "☂".repeat(64)]),
		);
		const events = upTo(1_000).map((number) => event(number, labels));
		expect(await publisher.events(events, LONG_MS)).toBe("stream");
		expect(valuesOf(stored()).length).toBe(1_000);
		const contexts = upTo(20).map((number) =>
			row(number, { device: "x".repeat(100_000) }),
		);
		await Promise.all(contexts.map((one) => publisher.decision(one, LONG_MS)));
		expect(
			Math.max(...broker.messages.map(({ body }) => body.length)),
		).toBeLessThanOrEqual(512 * 1_024);
		expect([...sequences()].sort((a, b) => Number(a) - Number(b))).toEqual(
			upTo(broker.messages.length),
		);
	});

	test("a decision too large for any message is refused, and those beside it are not", async () => {
		const [large, small] = await Promise.allSettled([
			publisher.decision(row(1, { device: "x".repeat(1_100_000) }), LONG_MS),
			publisher.decision(row(2), LONG_MS),
		]);
		expect(large).toMatchObject({
			status: "rejected",
			reason: expect.any(MessageTooLarge),
		});
		expect(small).toMatchObject({ status: "fulfilled", value: "stream" });
		expect(storedIds()).toEqual([idOf(2)]);
		expect(sequences()).toEqual([1]);
	});

	test.each<[string, Partial<DecisionRow>]>([
		[
			"reasons for excluded arms",
			{
				excluded: Object.fromEntries(
					upTo(999).map((arm) => [`arm-${arm}`, `rule: ${"x".repeat(1_000)}`]),
				),
			},
		],
		["a long unit", { unit: "x".repeat(1_000_000) }],
		["a long session", { session: "x".repeat(1_000_000) }],
	])("a decision too large by %s is refused alone", async (_, changes) => {
		const [small, large, other] = await Promise.allSettled([
			publisher.decision(row(1), LONG_MS),
			publisher.decision({ ...row(2), ...changes }, LONG_MS),
			publisher.decision(row(3), LONG_MS),
		]);
		expect(large).toMatchObject({
			status: "rejected",
			reason: expect.any(MessageTooLarge),
		});
		expect(small).toMatchObject({ status: "fulfilled", value: "stream" });
		expect(other).toMatchObject({ status: "fulfilled", value: "stream" });
		expect(storedIds()).toEqual([idOf(1), idOf(3)]);
	});

	test("a stream that takes less than others gets smaller messages, and is not suspected", async () => {
		await publisher.stop();
		publisher = new Publisher(
			changed(broker.open(), async (publish, body) => {
				if (body.length > 8_192) throw new MessageTooLarge(body.length, 8_192);
				await publish();
			}),
			spool,
			{ boot: BOOT },
		);
		const answers = await Promise.allSettled([
			...upTo(50).map((number) => publisher.decision(row(number), LONG_MS)),
			publisher.decision(row(51, { device: "x".repeat(9_000) }), LONG_MS),
		]);
		expect(answers.pop()).toMatchObject({
			reason: expect.any(MessageTooLarge),
		});
		expect(storedIds()).toEqual(upTo(50).map(idOf));
		expect(publisher.degraded).toBe(false);
		expect(spool.count).toBe(0);
	});
});

/** The stream with another publish, which may hand on to the true one. */
function changed(
	stream: Stream,
	publishing: (
		publish: () => Promise<void>,
		body: Uint8Array,
		timeoutMs: number,
	) => Promise<void>,
): Stream {
	const publish = stream.publish.bind(stream);
	stream.publish = (subject, body, messageId, timeoutMs) =>
		publishing(
			() => publish(subject, body, messageId, timeoutMs),
			body,
			timeoutMs,
		);
	return stream;
}

describe("a stream that stalls", () => {
	let goOn: () => void;

	beforeEach(async () => {
		await publisher.stop();
		// Time stands still but where a test moves it: what happens without that happens at once.
		vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
		const stall = new Promise<void>((resolve) => {
			goOn = resolve;
		});
		const stalling = changed(broker.open(), async (publish, _, timeoutMs) => {
			const late = new Promise<never>((_, reject) =>
				setTimeout(() => reject(new Error("No answer in time.")), timeoutMs),
			);
			await Promise.race([stall, late]);
			await publish();
		});
		publisher = new Publisher(stalling, spool, { boot: BOOT });
		publisher.start();
		await turns();
	});
	afterEach(() => {
		goOn();
		vi.useRealTimers();
	});

	const turns = async () => {
		for (let turn = 0; turn < 20; turn += 1)
			await new Promise((resolve) => setImmediate(resolve));
	};
	const stallFor = async (ms: number) => {
		await turns();
		await vi.advanceTimersByTimeAsync(ms);
		await turns();
	};

	test("is trusted again as soon as it answers", async () => {
		const first = publisher.decision(row(1), 40);
		await stallFor(40);
		expect(await first).toBe("spool");
		expect(publisher.degraded).toBe(true);
		await stallFor(30);
		expect(publisher.degraded).toBe(true);
		goOn();
		await turns();
		expect(publisher.degraded).toBe(false);
		expect(await publisher.decision(row(2), 40)).toBe("stream");
		expect(storedIds()).toEqual([idOf(1), idOf(2)]);
		expect(spool.count).toBe(0);
	});

	test("is not waited for again while it stays silent, but for one message a second, within that one's time", async () => {
		const first = publisher.decision(row(1), 40);
		await stallFor(40);
		expect(await first).toBe("spool");
		for (const number of [2, 3, 4])
			expect(await publisher.decision(row(number), 40)).toBe("spool");
		await stallFor(1_000);
		const asks = publisher.decision(row(5), 40);
		await stallFor(40);
		expect(await asks).toBe("spool");
		expect(await publisher.decision(row(6), 40)).toBe("spool");
		goOn();
		await stallFor(4_000);
		expect(storedIds()).toEqual(upTo(6).map(idOf));
		expect(publisher.degraded).toBe(false);
	});
});

describe("while the stream takes none", () => {
	test("what is known to be away is not waited for: decisions and events go to the spool, and move when it is back", async () => {
		broker.setUp(false);
		publisher.start();
		expect(publisher.degraded).toBe(true);
		expect(await publisher.decision(row(1), LONG_MS)).toBe("spool");
		expect(await publisher.events([event(1), event(2)], LONG_MS)).toBe("spool");
		expect(broker.messages).toEqual([]);
		broker.setUp(true);
		await eventually(() =>
			expect(storedIds()).toEqual([idOf(1), "event-1", "event-2"].sort()),
		);
		await eventually(() => expect(spool.count).toBe(0));
		expect(publisher.degraded).toBe(false);
		expect(await publisher.decision(row(2), LONG_MS)).toBe("stream");
	});

	test.for(["stores in silence", "loses in silence"] as const)(
		"a stream that %s is given up after the caller's time, and has the message once in the end",
		async (manner) => {
			broker.manner = manner;
			publisher.start();
			expect(await publisher.decision(row(1), 30)).toBe("spool");
			expect(publisher.degraded).toBe(true);
			expect(await publisher.decision(row(2), LONG_MS)).toBe("spool");
			broker.manner = "stores";
			await eventually(() => expect(spool.count).toBe(0));
			expect(storedIds()).toEqual([idOf(1), idOf(2)]);
			expect(sequences().sort()).toEqual([1, 2]);
			await eventually(() => expect(publisher.degraded).toBe(false));
		},
	);

	test("a stream that refuses loses nothing", async () => {
		broker.manner = "refuses";
		publisher.start();
		await Promise.all(
			upTo(300).map((number) => publisher.decision(row(number), LONG_MS)),
		);
		broker.manner = "stores";
		await eventually(() => expect(storedIds()).toEqual(upTo(300).map(idOf)));
		await eventually(() => expect(spool.count).toBe(0));
	});

	test("a full spool refuses, without leaving a hole in the numbers, and takes again when there is room", async () => {
		begin(new MemorySpool(6_000));
		broker.setUp(false);
		const places: (string | boolean)[] = [];
		for (const number of upTo(20)) {
			places.push(
				await publisher
					.decision(row(number), LONG_MS)
					.catch((error) => error instanceof SpoolFull),
			);
		}
		const kept = places.filter((place) => place === "spool").length;
		expect(kept).toBeGreaterThan(1);
		expect(places.slice(kept)).toEqual(places.slice(kept).map(() => true));
		expect(spool.full).toBe(true);
		broker.setUp(true);
		publisher.start();
		await eventually(() => expect(spool.count).toBe(0));
		expect(await publisher.decision(row(21), LONG_MS)).toBe("stream");
		expect(sequences()).toEqual(upTo(kept + 1));
	});

	test("a spool that fails for another reason is as good as full", async () => {
		const failing = new MemorySpool();
		failing.append = () =>
			Promise.reject(new Error("ENOSPC: no space left on device"));
		begin(failing);
		broker.setUp(false);
		await expect(publisher.decision(row(1), LONG_MS)).rejects.toBeInstanceOf(
			SpoolFull,
		);
	});

	test("a spooled message that has become too large does not hold up those behind it, and is not thrown away", async () => {
		await spool.append({
			subject: LOG_SUBJECT,
			messageId: "large",
			body: new Uint8Array(2_000_000),
		});
		broker.setUp(false);
		await publisher.decision(row(1), LONG_MS);
		broker.setUp(true);
		publisher.start();
		await eventually(() => expect(storedIds()).toEqual([idOf(1)]));
		await eventually(async () =>
			expect((await spool.peek(9)).map(({ messageId }) => messageId)).toEqual([
				"large",
			]),
		);
	});
});

describe("a decision that waits", () => {
	test("is found on its way and in the spool, by this process and by the next, until the stream has it", async () => {
		broker.manner = "loses in silence";
		const answering = publisher.decision(row(1), 200);
		expect(await publisher.pending(idOf(1))).toEqual(row(1));
		expect(await answering).toBe("spool");
		expect(await publisher.pending(idOf(1))).toEqual(row(1));
		expect(await publisher.pending(idOf(2))).toBeNull();
		await publisher.stop();

		begin(spool);
		expect(await publisher.pending(idOf(1))).toEqual(row(1));
		publisher.start();
		await eventually(() => expect(storedIds()).toEqual([idOf(1)]));
		await eventually(async () =>
			expect(await publisher.pending(idOf(1))).toBeNull(),
		);
	});
});

test("a stop waits for all that was added", async () => {
	const answers = Promise.all(
		upTo(500).map((number) => publisher.decision(row(number), LONG_MS)),
	);
	await publisher.stop();
	expect(storedIds()).toEqual(upTo(500).map(idOf));
	await answers;
});

test("more than can wait in memory is refused", async () => {
	broker.manner = "loses in silence";
	const answers = await Promise.allSettled(
		Array.from({ length: 25_000 }, (_, index) =>
			publisher.events([event(index)], 20),
		),
	);
	const refused = answers.filter((answer) => answer.status === "rejected");
	expect(refused.length).toBeGreaterThan(0);
	expect(refused.every(({ reason }) => reason instanceof SpoolFull)).toBe(true);
	expect(answers.length - refused.length).toBeGreaterThanOrEqual(20_000);
});
