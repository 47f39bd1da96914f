import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
	afterAll,
	afterEach,
	beforeAll,
	beforeEach,
	expect,
	test,
} from "vitest";
import { MemoryBroker } from "#adapters/memory";
import { isRefusal, PostgresErasure } from "#adapters/postgres";
import { openSpool } from "#adapters/spool";
import type { Definition } from "#core/experiment";
import { Publisher, type Spool } from "#usecases/ingesting";
import { Learn } from "#usecases/learning";
import { eventually } from "../../../../test/contract/eventually.js";
import {
	aDecision,
	anEvent,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import { LedgerOfTest } from "../../../../test/support/ledger.js";
import { unitsHeld } from "../../../../test/support/units-held.js";
import { EraseUnit } from "./index.js";

const PUBLISH_MS = 50;

let log: LedgerOfTest;
let definition: Definition;
const deciders: Decider[] = [];
beforeAll(async () => {
	log = await LedgerOfTest.open();
});
afterAll(() => log?.close());
afterEach(async () => {
	for (const decider of deciders.splice(0)) await decider.stop();
});
beforeEach(async () => {
	definition = await log.define(
		anExperiment({
			key: "spooled",
			arms: [{ key: "a" }],
			context: { features: [{ name: "v", from: "request", kind: "number" }] },
			policy: { kind: "uniform" },
			reward: { window: "30m", outcomes: [{ type: "play", value: 0.5 }] },
		}),
	);
});

/** A decider whose broker is away: what one unit that will be erased and one that stays did waits in its spool, in the same packs. */
class Decider {
	readonly broker = new MemoryBroker();
	readonly stream = this.broker.open();
	readonly goes = `goes-${randomUUID()}`;
	readonly stays = `stays-${randomUUID()}`;

	readonly #publisher: Publisher;

	private constructor(
		private readonly folder: string,
		readonly spool: Spool,
	) {
		this.#publisher = new Publisher(this.stream, spool, { boot: randomUUID() });
	}

	static async start(): Promise<Decider> {
		const folder = await mkdtemp(join(tmpdir(), "segue-spooled-"));
		const decider = new Decider(folder, await openSpool({ folder }));
		deciders.push(decider);
		decider.broker.setUp(false);
		await decider.#act();
		return decider;
	}

	async #act(): Promise<void> {
		const at = Date.now() - 5_000;
		const rows = [this.goes, this.stays, this.goes, this.stays].map((unit, i) =>
			aDecision(definition, {
				id: idAt(at, i),
				arm: "a",
				unit,
				context: { v: i },
			}),
		);
		await Promise.all(
			rows.map((row) => this.#publisher.decision(row, PUBLISH_MS)),
		);
		await this.#publisher.events(
			rows.map((row) => anEvent(row, "play")),
			PUBLISH_MS,
		);
		expect(this.spool.count).toBeGreaterThan(1);
	}

	erase() {
		return new EraseUnit(
			{
				erasure: new PostgresErasure(log.database),
				stream: this.stream,
				spool: this.spool,
				memory: { forget: () => {} },
				clock: { now: () => Date.now() },
			},
			(what, error) => expect([what, error]).toEqual([]),
			0,
		).execute(this.goes);
	}

	/** The broker is back. */
	begin(): void {
		this.broker.setUp(true);
		this.#publisher.start();
	}

	async drain(): Promise<void> {
		this.begin();
		await eventually(() => expect(this.spool.count).toBe(0));
	}

	/** Everything that reached the broker, as often as it is delivered. */
	async learn(): Promise<void> {
		const own = log.learner();
		await new Learn(own, isRefusal).execute(this.broker.messages);
		await own.close();
	}

	/** Of the erased nothing is in the log or the sums; of the other all is, once. */
	async expectGone(): Promise<void> {
		await this.learn();
		await this.learn();
		expect(await unitsHeld(log.database, new RegExp(this.goes, "g"))).toEqual(
			new Map(),
		);
		const verified = await log.verify(definition);
		expect(verified.differences).toEqual([]);
		expect([verified.decisions, verified.outcomes]).toEqual([2, 2]);
		expect((await log.sums(definition))[0]?.sums[0]).toBe(2);
	}

	get published(): string {
		return this.broker.messages
			.map(({ body }) => new TextDecoder().decode(body))
			.join("\n");
	}

	async stop(): Promise<void> {
		await this.#publisher.stop();
		await this.spool.close();
		await rm(this.folder, { recursive: true, force: true });
	}
}

test("erased before it drains, its decisions are in no message any more, and those beside them arrive", async () => {
	const decider = await Decider.start();
	const { removed } = await decider.erase();
	expect(removed.spoolEntries).toBeGreaterThan(1);
	expect(decider.spool.count).toBeGreaterThan(1);
	await decider.drain();
	expect(decider.published).not.toContain(decider.goes);
	expect(decider.published).toContain(decider.stays);
	await decider.expectGone();
});

test("erased when it has drained, but before a learner took it, it is said to be left in the stream, and refused there", async () => {
	const decider = await Decider.start();
	await decider.drain();
	const { removed, remains } = await decider.erase();
	expect(removed.spoolEntries).toBe(0);
	expect(remains.map(({ where }) => where)).toContain("stream");
	expect(decider.published).toContain(decider.goes);
	await decider.expectGone();
});

test.each([
	["stores in silence", true],
	["loses in silence", false],
] as const)(
	"erased while it drains into a broker that %s, it is refused where it got through, and those beside it arrive once",
	async (manner, through) => {
		const decider = await Decider.start();
		decider.broker.manner = manner;
		const stored = decider.spool.count;
		decider.begin();
		if (through)
			await eventually(() =>
				expect(decider.broker.messages).toHaveLength(stored),
			);
		const { removed } = await decider.erase();
		expect(removed.spoolEntries).toBe(stored);
		decider.broker.manner = "stores";
		await decider.drain();
		expect(decider.broker.messages).toHaveLength(stored);
		expect(decider.published.includes(decider.goes)).toBe(through);
		await decider.expectGone();
	},
);

test("erased by another decider, whose spool is not this one, it is refused when it drains", async () => {
	const decider = await Decider.start();
	await new PostgresErasure(log.database).erase([decider.goes], 10_000);
	await decider.drain();
	expect(decider.published).toContain(decider.goes);
	await decider.expectGone();
});
