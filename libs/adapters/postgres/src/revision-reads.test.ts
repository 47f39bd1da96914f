import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Definition } from "#core/experiment";
import {
	type DecisionRow,
	encodeDecisions,
	encodeEvent,
	eventSubject,
	LOG_SUBJECT,
} from "#core/log";
import {
	type BucketOfSums,
	foldBatch,
	Learn,
	type LearnableMessage,
	SumsInTime,
} from "#usecases/learning";
import {
	aDecision,
	anEvent,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import { createTestDatabase } from "../../../../test/support/database.js";
import { seededRandom, shuffled } from "../../../../test/support/random.js";
import {
	Database,
	isRefusal,
	PostgresDefinitionStore,
	PostgresLearningLedger,
	PostgresLogReads,
	PostgresPosteriorSource,
	PostgresRevisionReads,
} from "./index.js";

const HOUR = 3_600_000;
const experiment = anExperiment({
	key: "past",
	arms: [{ key: "a" }, { key: "b" }, { key: "c" }],
	context: { features: [{ name: "v", from: "request", kind: "number" }] },
	policy: { kind: "linucb", alpha: 0.5 },
	reward: {
		window: "30m",
		range: [-1, 2],
		outcomes: [
			{ type: "play", value: 0.3 },
			{ type: "skip", value: -0.2 },
			{ type: "complete", value: 0.7 },
		],
	},
});

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
const random = seededRandom(seed);
const snapshots = new Map<number, readonly BucketOfSums[]>();
let testDatabase: Awaited<ReturnType<typeof createTestDatabase>>;
let database: Database;
let store: PostgresDefinitionStore;
let posteriors: PostgresPosteriorSource;
let reads: PostgresRevisionReads;
let first: Definition;

/** A log that three learners wrote at once, and what the posterior was at many of its revisions while they did. */
beforeAll(async () => {
	console.log(`revision-reads: SEED=${seed}`);
	testDatabase = await createTestDatabase({ migrated: true });
	const { connectionString } = testDatabase;
	database = new Database({ connectionString, applicationName: "test" });
	store = new PostgresDefinitionStore(database);
	posteriors = new PostgresPosteriorSource(database);
	reads = new PostgresRevisionReads(database, store);
	first = await define("past", 1);
	const second = await define("past", 2);
	const other = await define("other", 1);
	const deliveries = deliveriesOf([first, first, first, second, other]);
	let learning = true;
	const watching = (async () => {
		while (learning) {
			const { revision, changed } = await posteriors.read("past", 1, 0);
			snapshots.set(revision, changed);
		}
	})();
	await Promise.all(
		[0, 1, 2].map(async (k) => {
			const own = new PostgresLearningLedger({
				connectionString,
				applicationName: "test learner",
				definitions: (ids) => store.byIds(ids),
			});
			const learn = new Learn(own, isRefusal);
			// Outcomes alone, whose decisions come later: their batch takes no revision.
			const early = deliveries.filter(({ subject }) => subject !== LOG_SUBJECT);
			await learn.execute(early.slice(k * 12, k * 12 + 12));
			for (let i = k * 16; i < deliveries.length; i += 48)
				await learn.execute(deliveries.slice(i, i + 16));
			await own.close();
		}),
	);
	learning = false;
	await watching;
});
afterAll(async () => {
	await database?.close();
	await testDatabase?.drop();
});

async function define(key: string, version: number): Promise<Definition> {
	const stored = await store.change(key, () => ({
		experiment: { ...experiment, key },
		version,
		state: "running",
		run: 1,
		bookedRun: 1,
		analysis: 1,
		epoch: 1,
		winner: null,
		held: false,
		bucketMs: HOUR,
		action: "create",
		actor: "test",
		why: "",
	}));
	return stored as Definition;
}

let position = 0;
function message(subject: string, body: Uint8Array): LearnableMessage {
	position += 1;
	return { subject, body, storedAt: Date.now(), position };
}

/** Decisions of four hours and their outcomes, some taken back, some twice, all shuffled: many outcomes overtake their decision. */
function deliveriesOf(definitions: readonly Definition[]): LearnableMessage[] {
	const boot = randomUUID();
	const messages: LearnableMessage[] = [];
	for (let i = 0; i < 250; i++) {
		const definition = definitions[i % definitions.length] as Definition;
		const row: DecisionRow = aDecision(definition, {
			id: idAt(Date.now() - (i % 4) * HOUR, i),
			arm: ["a", "b", "c"][i % 3] as string,
			unit: `unit-${i % 5}`,
			group: i % 19 === 0 ? "outside" : "policy",
			context: { v: Math.floor(random() * 17) / 4 },
		});
		messages.push(
			message(
				LOG_SUBJECT,
				encodeDecisions([row], { boot, sequence: ++position }),
			),
		);
		for (const type of ["impression", "play", "skip", "complete"]) {
			if (random() < 0.5) continue;
			const event = anEvent(row, type);
			const events = [event];
			if (random() < 0.15)
				events.push(
					anEvent(row, "retract", { id: `r-${event.id}`, retracts: event.id }),
				);
			if (random() < 0.03) events.push({ ...event, unit: "another" });
			for (const each of events)
				messages.push(message(eventSubject(each.type), encodeEvent(each)));
		}
	}
	return shuffled(
		[...messages, ...messages.filter(() => random() < 0.1)],
		random,
	);
}

/** By arm and bucket; sums that are all 0 say nothing. */
function told(buckets: readonly BucketOfSums[]): Map<string, number[]> {
	return new Map(
		buckets
			.filter(({ sums }) => sums.some((entry) => entry !== 0))
			.map(({ arm, bucket, sums }): [string, number[]] => [
				`${arm} ${bucket}`,
				[...sums],
			])
			.sort(([a], [b]) => (a < b ? -1 : 1)),
	);
}

const fromNothing = (version = 1) =>
	SumsInTime.open(reads, "past", version, 0, "nothing");
const fromNow = (version = 1) =>
	SumsInTime.open(reads, "past", version, 0, "now");

test("the sums at a past revision are bit for bit those a reader had then, folded from nothing or undone from now", async () => {
	const { revision: newest } = await reads.sumsNow("past", 1);
	expect(newest).toBeGreaterThan(30);
	const past = [...snapshots.keys()].filter(
		(revision) => revision > 0 && revision < newest,
	);
	expect(past.length).toBeGreaterThan(5);
	const [early] = await database.query<{ count: number }>(
		`select count(*) as count from outcomes o join decisions d on d.id = o.decision_id and d.experiment = 'past'
		where not exists (select from revision_log l where l.experiment = 'past' and l.batch = o.batch)`,
	);
	expect(early?.count).toBeGreaterThan(5);
	for (const revision of shuffled(past, random).slice(0, 15)) {
		const then = told(snapshots.get(revision) ?? []);
		const forwards = await fromNothing();
		await forwards.moveTo(revision);
		expect(told(forwards.all())).toEqual(then);
		const backwards = await fromNow();
		await backwards.moveTo(revision);
		expect(told(backwards.all())).toEqual(then);
	}
});

test("at every revision, moved step by step or in leaps either way, they are the fold of the log up to it", async () => {
	const { revision: newest } = await reads.sumsNow("past", 1);
	const log = new PostgresLogReads(database, posteriors, store);
	const pages = await Promise.all(
		Array.from({ length: newest + 1 }, (_, revision) =>
			log.page("past", revision, null, 10_000),
		),
	);
	for (const version of [1, 2]) {
		const stepping = await fromNothing(version);
		const back = await fromNow(version);
		const leaping = await fromNow(version);
		const states = new Map<number, Map<string, number[]>>();
		for (const [revision, page] of pages.entries()) {
			const folded = foldBatch(
				page
					.filter(({ row }) => row.version === version)
					.map((state) => ({ ...state, exposed: 0, reward: 0 })),
			);
			const expected = told(
				folded.sums.map(({ delta, ...key }) => ({ ...key, sums: delta })),
			);
			states.set(revision, expected);
			await stepping.moveTo(revision);
			expect(told(stepping.all())).toEqual(expected);
		}
		for (let revision = newest; revision >= 0; revision--) {
			await back.moveTo(revision);
			expect(told(back.all())).toEqual(states.get(revision));
		}
		for (const revision of shuffled([...states.keys()], random).slice(0, 12)) {
			await leaping.moveTo(revision);
			expect(told(leaping.all())).toEqual(states.get(revision));
		}
	}
});

test("a move returns the buckets that moved, whole, and leaves those given out before as they were", async () => {
	const { revision: newest } = await reads.sumsNow("past", 1);
	const sums = await fromNothing();
	const held = new Map<string, BucketOfSums>();
	for (let revision = 1; revision <= newest; revision++) {
		const before = told([...held.values()]);
		const moved = await sums.moveTo(revision);
		expect(told([...held.values()])).toEqual(before);
		for (const bucket of moved)
			held.set(`${bucket.arm} ${bucket.bucket}`, bucket);
		expect(told([...held.values()])).toEqual(told(sums.all()));
	}
	await expect(sums.moveTo(newest + 1)).rejects.toThrow(`not at ${newest + 1}`);
});

test("a move ends with the signal's reason", async () => {
	const { revision: newest } = await reads.sumsNow("past", 1);
	const over = AbortSignal.abort(new Error("too long"));
	await expect((await fromNothing()).moveTo(newest, over)).rejects.toThrow(
		"too long",
	);
});
