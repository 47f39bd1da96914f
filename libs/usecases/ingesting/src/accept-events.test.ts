import { beforeEach, describe, expect, test } from "vitest";
import { MemoryBroker, MemorySpool } from "#adapters/memory";
import { decodeMessage } from "#core/log";
import { SegueError } from "#usecases/errors";
import { AcceptEvents } from "./accept-events.js";
import { Publisher } from "./publisher.js";

const NOW = Date.UTC(2026, 0, 5, 7, 30);
const MINUTE = 60_000;
const BOOT = "6f1d0f3e-9f0a-4f6e-8d7b-000000000001";

let broker: MemoryBroker;
let accept: AcceptEvents;

function begin(spool = new MemorySpool()): void {
	broker = new MemoryBroker();
	accept = new AcceptEvents(
		new Publisher(broker.open(), spool, { boot: BOOT }),
		{ now: () => NOW },
	);
}
beforeEach(() => begin());

const play = (id: string, more: object = {}) => ({
	id,
	type: "play",
	at: NOW,
	unit: "u1",
	...more,
});

const storedIds = () =>
	broker.messages
		.flatMap(({ subject, body }) =>
			decodeMessage(subject, body).items.map(
				(item) => item.ok && item.value.id,
			),
		)
		.sort();

async function refusal(body: unknown): Promise<SegueError> {
	const error = await accept.execute(body).catch((thrown: unknown) => thrown);
	if (!(error instanceof SegueError))
		return expect.unreachable("it was accepted");
	return error;
}

test("accepted events are in the stream before the answer, also those that come twice", async () => {
	const body = {
		events: [
			play("a"),
			play("b", {
				decisionId: "0199a000-0000-7000-8000-000000000001",
				value: 0.5,
			}),
		],
	};
	expect(await accept.execute(body)).toEqual({ accepted: 2, rejected: [] });
	expect(storedIds()).toEqual(["a", "b"]);
	expect(await accept.execute(body)).toEqual({ accepted: 2, rejected: [] });
});

test("each bad event is rejected with its index and the path of what is wrong, and the good ones are kept", async () => {
	const answer = await accept.execute({
		events: [
			play("a"),
			play("b", { colour: "red" }),
			play("c"),
			{ ...play("d"), at: "yesterday" },
			null,
		],
	});
	expect(answer.accepted).toBe(2);
	expect(
		answer.rejected.map(({ index, problem }) => [
			index,
			problem.status,
			problem.errors[0]?.path,
		]),
	).toEqual([
		[1, 422, "colour"],
		[3, 422, "at"],
		[4, 422, ""],
	]);
	expect(storedIds()).toEqual(["a", "c"]);
});

test("an answer comes also when all are rejected, and for no events", async () => {
	expect((await accept.execute({ events: [{}] })).rejected.length).toBe(1);
	expect(await accept.execute({ events: [] })).toEqual({
		accepted: 0,
		rejected: [],
	});
	expect(broker.messages).toEqual([]);
});

test("an event up to five minutes ahead of our clock is accepted, one further ahead is not", async () => {
	const answer = await accept.execute({
		events: [
			play("near", { at: NOW + 5 * MINUTE }),
			play("far", { at: NOW + 5 * MINUTE + 1 }),
			play("past", { at: 0 }),
		],
	});
	expect(
		answer.rejected.map(({ index, problem }) => [
			index,
			problem.errors[0]?.path,
		]),
	).toEqual([[1, "at"]]);
	expect(storedIds()).toEqual(["near", "past"]);
});

describe("a bad envelope stores nothing and names what is wrong", () => {
	test.for([
		["no object", [play("a")], "invalid", ""],
		["nothing", null, "invalid", ""],
		["no events", {}, "invalid", "events"],
		["events that are no list", { events: { a: 1 } }, "invalid", "events"],
		[
			"an unknown key",
			{ events: [play("a")], evnets: [] },
			"invalid",
			"evnets",
		],
	] as const)("%s", async ([, body, code, path]) => {
		const error = await refusal(body);
		expect([error.code, error.problems[0]?.path]).toEqual([code, path]);
		expect(broker.messages).toEqual([]);
	});

	test("more than a thousand events", async () => {
		const events = Array.from({ length: 1_001 }, (_, index) =>
			play(`e${index}`),
		);
		expect((await refusal({ events })).status).toBe(413);
		expect(broker.messages).toEqual([]);
		expect((await accept.execute({ events: events.slice(1) })).accepted).toBe(
			1_000,
		);
		expect(storedIds().length).toBe(1_000);
	});
});

test("events that cannot be kept are not accepted: 503 with a time to come back", async () => {
	begin(new MemorySpool(100));
	broker.setUp(false);
	const error = await refusal({ events: [play("a")] });
	expect([error.code, error.status]).toEqual(["overloaded", 503]);
	expect(error.retryAfterSeconds).toBeGreaterThan(0);
});
