import { describe, expect, it } from "vitest";
import { type DecisionRow, encodeDecisions, LOG_SUBJECT } from "#core/log";
import type { SegueError } from "#usecases/errors";
import type { StreamMessage, Tail } from "#usecases/ingesting";
import {
	aDecision,
	aDefinition,
	anExperiment,
	idAt,
} from "../../../test/support/builders.js";
import { searchStream } from "./search-stream.js";

const NOW = Date.UTC(2026, 0, 5);
const definition = aDefinition(
	anExperiment({
		key: "e",
		name: "n",
		hypothesis: "h",
		owner: "o",
		arms: [{ key: "a" }, { key: "b" }],
		context: { features: [] },
		policy: { kind: "linucb" },
		reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
	}),
);
const idOf = (i: number) => idAt(NOW, i);
const rowOf = (i: number) => aDecision(definition, { id: idOf(i), arm: "a" });

/** A stream that holds rows; `tell` says of each tail whether it reaches the end. */
function room(
	rows: readonly DecisionRow[],
	tell: "end" | "never" | "fails" = "end",
) {
	const stream = {
		connected: true,
		tails: 0,
		open: 0,
		most: 0,
		held: [] as (() => void)[],
		hold: false,
		async tail(
			_filter: string,
			_since: number,
			deliver: (message: StreamMessage) => void,
		): Promise<Tail> {
			if (tell === "fails") throw new Error("no reader");
			stream.tails += 1;
			stream.open += 1;
			stream.most = Math.max(stream.most, stream.open);
			if (stream.hold)
				await new Promise<void>((resolve) => stream.held.push(resolve));
			const body = encodeDecisions(rows, { boot: idOf(0), sequence: 1 });
			deliver({
				subject: LOG_SUBJECT,
				body,
				storedAt: NOW,
				position: 1,
				deliveries: 1,
			});
			return {
				caughtUp: tell === "end" ? Promise.resolve() : new Promise(() => {}),
				close: async () => {
					stream.open -= 1;
				},
			};
		},
	};
	return stream;
}

async function refusal(promise: Promise<unknown>): Promise<SegueError> {
	return (await promise.then(
		() => null,
		(error: unknown) => error,
	)) as SegueError;
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("a search of the stream", () => {
	it("finds a decision, and says that there is none only after reading all", async () => {
		const search = searchStream(room([rowOf(1), rowOf(2)]));
		expect((await search(idOf(2)))?.id).toBe(idOf(2));
		expect(await search(idOf(3))).toBeNull();
	});

	it("refuses with 503 and Retry-After where the stream is away, cannot be read, or is too long", async () => {
		const away = room([]);
		away.connected = false;
		const bounds = { searchMs: 1, waitMs: 1_000 };
		for (const stream of [away, room([], "fails"), room([], "never")]) {
			const error = await refusal(searchStream(stream, bounds)(idOf(1)));
			expect(error).toMatchObject({ status: 503, retryAfterSeconds: 1 });
			expect(error.message).toContain("cannot be told now");
		}
	});

	it("waits for its turn where two others run, and is answered in the end", async () => {
		const ids = Array.from({ length: 10 }, (_, i) => idOf(i + 1));
		const stream = room(ids.map((_, i) => rowOf(i + 1)));
		const search = searchStream(stream);
		const found = await Promise.all(ids.map(search));
		expect(found.map((row) => row?.id)).toEqual(ids);
		expect(stream.most).toBeLessThanOrEqual(2);
	});

	it("is shared by those who ask for the same decision", async () => {
		const stream = room([rowOf(1)]);
		const search = searchStream(stream);
		const found = await Promise.all([1, 1, 1].map((i) => search(idOf(i))));
		expect(found.map((row) => row?.id)).toEqual([idOf(1), idOf(1), idOf(1)]);
		expect(stream.tails).toBe(1);
	});

	it("is refused where very many wait, and others are answered once there is room", async () => {
		const stream = room([rowOf(1)]);
		stream.hold = true;
		const search = searchStream(stream);
		const waiting = Array.from({ length: 66 }, (_, i) => search(idOf(i + 1)));
		expect(await refusal(search(idOf(99)))).toMatchObject({ status: 503 });
		stream.hold = false;
		for (const release of stream.held) release();
		const found = await Promise.all(waiting);
		expect(found.filter((row) => row !== null)).toHaveLength(1);
		await turn();
		expect(await search(idOf(99))).toBeNull();
	});

	it("does not begin when its turn came too late", async () => {
		const stream = room([rowOf(3)], "never");
		const search = searchStream(stream, { searchMs: 30, waitMs: 1 });
		const first = [search(idOf(1)), search(idOf(2))].map(refusal);
		const late = await refusal(search(idOf(3)));
		await Promise.all(first);
		expect(late).toMatchObject({ status: 503 });
		expect(stream.tails).toBe(2);
	});
});
