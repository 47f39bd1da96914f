import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { Database, PostgresDefinitionStore } from "#adapters/postgres";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { unitsHeld } from "../support/units-held.js";
import { type Command, type RewardForm, UNITS } from "./commands.js";
import { bothSides, countsOfNone } from "./equal.js";
import { commands, rewardForm } from "./generators.js";
import { Learners } from "./learners.js";
import { type Ground, World } from "./world.js";

const long = process.env.SEGUE_FAULTS === "long";
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
/** As fast-check prints it: replays one run, and its shrinking, of the shard whose seed is given. */
const path = process.env.SEED_PATH;
const SHARDS = path === undefined ? 2 : 1;
const RUNS = Math.ceil(
	Number(process.env.RUNS ?? (long ? 10_000 : 60)) / SHARDS,
);
/** Then another database is taken, so that none grows slow. */
const RUNS_A_DATABASE = 250;

console.log(
	`model: SEED=${seed}, ${SHARDS * RUNS} runs; a failure's seed and path are replayed by SEED=… SEED_PATH=…`,
);

/** The databases of one shard of the runs, one after the other. */
class Shard {
	#test: TestDatabase | null = null;
	#database: Database | null = null;
	#store: PostgresDefinitionStore | null = null;
	#learners: Learners | null = null;
	#runs = 0;
	readonly #gone: string[] = [];
	/** How often each command was applied and each verdict met. */
	readonly met = new Map<string, number>();

	async next(): Promise<Ground> {
		if (this.#runs % RUNS_A_DATABASE === 0) await this.close();
		this.#test ??= await createTestDatabase({ migrated: true });
		const { connectionString } = this.#test;
		if (this.#database === null) {
			this.#database = new Database({
				connectionString,
				applicationName: "model",
			});
			await makeCrashable(this.#database);
		}
		this.#store ??= new PostgresDefinitionStore(this.#database);
		this.#learners ??= new Learners(connectionString, this.#store);
		return {
			database: this.#database,
			store: this.#store,
			learners: this.#learners,
			run: ++this.#runs,
		};
	}

	/** Of these units nothing may be found in the database, wherever it is looked. */
	forgotten(units: readonly string[]): void {
		this.#gone.push(...units);
	}

	async close(): Promise<void> {
		const [test, database] = [this.#test, this.#database];
		await this.#learners?.close();
		this.#test = this.#database = this.#store = this.#learners = null;
		if (database && test)
			try {
				const held = await unitsHeld(database, /unit-\d+-\d-of-the-model/g);
				expect(this.#gone.filter((unit) => held.has(unit))).toEqual([]);
				this.#gone.length = 0;
				// An erasure looks for kept answers once more, two seconds later.
				await new Promise((resolve) => setTimeout(resolve, 2_100));
			} finally {
				await database.close();
				await test.drop();
			}
	}
}

/** A session that takes a revision while it is wished for is ended, as by an administrator. */
async function makeCrashable(database: Database): Promise<void> {
	await database.query("create table crash_wish (wished boolean not null)");
	await database.query("insert into crash_wish values (false)");
	await database.query(
		`create function crash_as_wished() returns trigger language plpgsql as $$
		begin
			if (select w.wished from crash_wish w) then
				raise exception 'crash wished for' using errcode = '57P01';
			end if;
			return null;
		end $$`,
	);
	await database.query(
		"create trigger crash before insert on revision_log for each statement execute function crash_as_wished()",
	);
}

async function holds(
	shard: Shard,
	reward: RewardForm,
	list: readonly Command[],
): Promise<void> {
	const world = new World(await shard.next(), reward);
	const before = await countsOfNone(world);
	await world.begin();
	for (const one of list) {
		await world.apply(one);
	}
	await world.drain();
	const met = (what: string, n = 1) =>
		shard.met.set(what, (shard.met.get(what) ?? 0) + n);
	for (const { what } of list) met(what);
	met("exposure withdrawn", world.withdrawn);
	for (const [verdict, n] of world.model.counts()) met(verdict, n);
	const { stored, expected, deliveries } = await bothSides(world, before);
	expect(stored).toEqual(expected);
	expect(deliveries.counted).toBe(deliveries.made);
	const { model } = world;
	const kept = new Set(
		[
			...model.decisions.values(),
			...model.events.values(),
			...model.signals.values(),
			...model.letters.values(),
		].map(({ unit }) => unit),
	);
	shard.forgotten(
		Array.from({ length: UNITS }, (_, i) => world.unit(i)).filter(
			(unit) => model.tombstones.has(unit) && !kept.has(unit),
		),
	);
}

describe("whatever happens to the learners' world, in any order", () => {
	const shards = Array.from({ length: SHARDS }, (_, i) => ({
		shard: new Shard(),
		own: path === undefined ? seed + i : seed,
	}));
	afterAll(async () => {
		for (const { shard } of shards) await shard.close();
	});

	for (const { shard, own } of shards)
		test.concurrent(`sums, counts, verdicts and rows are those of a plain fold (seed ${own})`, {
			timeout: 4 * 3_600_000,
		}, async () => {
			const began = Date.now();
			let runs = 0;
			await fc.assert(
				fc.asyncProperty(rewardForm, commands, async (reward, list) => {
					await holds(shard, reward, list);
					if (++runs % 500 === 0)
						console.log(
							`model: seed ${own}: ${runs} runs in ${Math.round((Date.now() - began) / 1_000)} s`,
						);
				}),
				{
					seed: own,
					numRuns: RUNS,
					...(path !== undefined && { path }),
				},
			);
			const met = [...shard.met].map(([what, n]) => `${n} × ${what}`);
			console.log(
				`model: seed ${own}: ${runs} runs in ${Math.round((Date.now() - began) / 1_000)} s: ${met.join(", ")}`,
			);
		});
});
