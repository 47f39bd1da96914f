import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { MemoryBroker } from "#adapters/memory";
import { EVENT_PACK_SUBJECT, type Event, encodeEvents } from "#core/log";
import type { HeldMessage, Stream } from "#usecases/ingesting";
import {
	type Batch,
	type Committed,
	Learn,
	type LearningLedger,
} from "#usecases/learning";
import { eventually } from "../../../test/contract/eventually.js";
import {
	type FinishedBatch,
	LearnerWorker,
	type WorkerOptions,
} from "./learner.worker.js";

const BOOT = "018bcfe5-6800-7abc-8def-0123456789ff";

/** Keeps what was committed; fails where it is told to. */
class ListLedger implements LearningLedger {
	readonly batches: Batch[] = [];
	failures = 0;

	async commit(batch: Batch): Promise<Committed> {
		if (this.failures > 0) {
			this.failures--;
			throw new Error("The database is away.");
		}
		this.batches.push(batch);
		return nothingMoved(batch);
	}

	get ids(): string[] {
		return this.batches.flatMap(({ events }) =>
			events.map(({ event }) => event.id),
		);
	}
}

const nothingMoved = ({ events }: Batch) =>
	({
		revisions: new Map(),
		decisions: 0,
		events: events.length,
		duplicates: 0,
		refused: 0,
		reasons: [],
		moved: [],
		alarms: [],
	}) as unknown as Committed;

/** A stream of packs of `each` events; tells what each pull asked for. */
async function streamOf(packs: number, each: number) {
	const broker = new MemoryBroker();
	const stream = broker.open();
	const add = async (sequence: number) => {
		const events = Array.from(
			{ length: each },
			(_, i): Event => ({
				id: `${sequence}-${i}`,
				type: "play",
				at: 1_000,
				unit: "u1",
			}),
		);
		const pack = encodeEvents(events, { boot: BOOT, sequence });
		await stream.publish(EVENT_PACK_SUBJECT, pack, String(sequence), 1_000);
	};
	for (let sequence = 1; sequence <= packs; sequence++) await add(sequence);
	const asked: number[] = [];
	const pull = stream.pull.bind(stream);
	stream.pull = (most, waitMs): Promise<readonly HeldMessage[]> => {
		asked.push(most);
		return pull(most, waitMs);
	};
	return { stream, asked, add };
}

describe("the learner's loop", () => {
	let worker: LearnerWorker | null = null;
	afterEach(() => worker?.stop());

	function startWorker(
		stream: Stream,
		ledger: ListLedger,
		more: Partial<WorkerOptions> = {},
	) {
		const finished: FinishedBatch[] = [];
		const troubles: string[] = [];
		worker = new LearnerWorker(stream, new Learn(ledger, () => false), {
			mostMessages: 2_000,
			onBatch: (batch) => finished.push(batch),
			onTrouble: (what) => troubles.push(what),
			...more,
		});
		worker.start();
		return { finished, troubles };
	}

	it("bounds a batch by its items: of packs of 200, none is larger than asked for by more than a pack", async () => {
		const { stream, asked } = await streamOf(400, 200);
		const ledger = new ListLedger();
		const { finished } = startWorker(stream, ledger);
		await eventually(async () => expect(await stream.backlog()).toBe(0));
		const sizes = ledger.batches.map(({ events }) => events.length);
		expect(Math.max(...sizes)).toBeLessThan(5_000 + 200);
		expect(sizes[0]).toBe(1_000);
		expect(asked[0]).toBe(1_000);
		expect(Math.max(...asked.slice(2))).toBeLessThan(300);
		expect(new Set(ledger.ids).size).toBe(400 * 200);
		expect(ledger.ids.length).toBe(400 * 200);
		const messages = finished.flatMap((batch) => batch.messages);
		expect(messages.length).toBe(400);
	});

	it("acknowledges each batch of a pull by itself: one that fails is tried again alone, and nothing is learned twice", async () => {
		const { stream } = await streamOf(40, 200);
		const ledger = new ListLedger();
		ledger.commit = failing(ledger, [1, 2, 4]);
		const { troubles } = startWorker(stream, ledger);
		await eventually(async () => expect(await stream.backlog()).toBe(0));
		expect(troubles).toEqual(Array(3).fill("A batch was not finished"));
		expect(ledger.ids.length).toBe(40 * 200);
		expect(new Set(ledger.ids).size).toBe(40 * 200);
	});

	it("takes a single event at once", async () => {
		const { stream } = await streamOf(1, 1);
		const ledger = new ListLedger();
		startWorker(stream, ledger);
		await eventually(() => expect(ledger.ids).toEqual(["1-0"]));
	});

	it("lets what comes behind an emptied stream gather for one transaction", async () => {
		const { stream, add } = await streamOf(1, 1);
		const ledger = new ListLedger();
		startWorker(stream, ledger, { gatherMs: 500 });
		await eventually(() => expect(ledger.ids).toEqual(["1-0"]));
		for (let sequence = 2; sequence <= 10; sequence++) {
			await add(sequence);
			await sleep(10);
		}
		await eventually(() => expect(ledger.ids.length).toBe(10));
		expect(ledger.batches.length).toBeLessThanOrEqual(3);
	});

	it("goes through a backlog without gathering, and stops at once while it gathers", async () => {
		const { stream, asked, add } = await streamOf(6, 1);
		const ledger = new ListLedger();
		startWorker(stream, ledger, { gatherMs: 3_600_000, mostMessages: 4 });
		await eventually(() => expect(ledger.ids.length).toBe(6));
		expect(asked.length).toBe(2);
		await add(7);
		await worker?.stop();
		expect(asked.length).toBe(2);
		expect(ledger.ids).not.toContain("7-0");
	});
});

/** Commits that fail by their count. */
function failing(ledger: ListLedger, which: readonly number[]) {
	const commit = ledger.commit.bind(ledger);
	let calls = 0;
	return async (batch: Batch) => {
		ledger.failures = which.includes(calls++) ? 1 : 0;
		return commit(batch);
	};
}
