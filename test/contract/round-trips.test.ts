import { connect, createServer, type Server } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
	MemoryClock,
	MemoryDecisionLog,
	MemoryIds,
	MemoryLive,
	MemoryPosteriorSource,
} from "#adapters/memory";
import { Database, PostgresRepeats } from "#adapters/postgres";
import type { Definition } from "#core/experiment";
import {
	Decide,
	type DecisionRequest,
	type DrawnDecision,
	PosteriorCache,
} from "#usecases/deciding";
import { aDefinition, anExperiment } from "../support/builders.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";

const plain = {
	key: "trips",
	arms: ["a", "b", "c"].map((key) => ({ key, payload: { text: key } })),
	context: { features: [{ name: "v", from: "request", kind: "number" }] },
	policy: { kind: "linucb", alpha: 0.5, explore: 0.1 },
	reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
};
const experiments = [
	anExperiment(plain),
	anExperiment({ ...plain, key: "trips-unit", sticky: "unit" }),
	anExperiment({ ...plain, key: "trips-session", sticky: "session" }),
];

let database: TestDatabase;
let way: CountedWay;
const cleanups: (() => Promise<unknown>)[] = [];
/** As every decider knows them. */
const definitions = new Map<string, Definition>();
/** Definition rows so far. */
let rows = 0;
let here: Ask;
let there: Ask;

type Ask = (request: Partial<DecisionRequest>) => Promise<DrawnDecision>;

beforeAll(async () => {
	database = await createTestDatabase({ migrated: true });
	way = await countedWay(new URL(database.connectionString));
	define();
	[here, there] = await Promise.all([aDecider(), aDecider()]);
});
afterAll(async () => {
	for (const cleanup of cleanups) await cleanup();
	await way.close();
	await database.drop();
});
beforeEach(define);

function define(): void {
	for (const experiment of experiments)
		definitions.set(experiment.key, aDefinition(experiment, { id: ++rows }));
}

interface CountedWay {
	readonly url: string;
	/** Times so far that a client sent something and waits for the answer. */
	trips(): number;
	close(): Promise<void>;
}

/** A way to Postgres that counts what goes to and fro: each trip ends with the client's Sync, or is a Query. */
async function countedWay(to: URL): Promise<CountedWay> {
	let trips = 0;
	const server: Server = createServer((inward) => {
		const outward = connect(Number(to.port), to.hostname);
		for (const [one, other] of [
			[inward, outward],
			[outward, inward],
		] as const) {
			one.on("error", () => other.destroy());
			one.on("close", () => other.destroy());
		}
		let left = Buffer.alloc(0);
		let begun = false;
		inward.on("data", (chunk) => {
			left = Buffer.concat([left, chunk]);
			for (;;) {
				const head = begun ? 1 : 0;
				if (left.length < head + 4) break;
				const length = head + left.readUInt32BE(head);
				if (left.length < length) break;
				if (begun && "SQ".includes(String.fromCharCode(left[0] as number)))
					trips += 1;
				begun = true;
				left = left.subarray(length);
			}
			outward.write(chunk);
		});
		outward.pipe(inward);
	});
	await new Promise<void>((resolve) =>
		server.listen(0, "127.0.0.1", () => resolve()),
	);
	const address = server.address();
	const url = new URL(to);
	if (address !== null && typeof address === "object")
		url.host = `127.0.0.1:${address.port}`;
	return {
		url: url.href,
		trips: () => trips,
		close: () => new Promise((resolve) => server.close(() => resolve())),
	};
}

/** Statements that deciders wanted to send so far; what is sent again after an error is a trip more. */
let statements = 0;

/** A decider with its own pool, warm; all but what is asked for again is in memory. */
async function aDecider(): Promise<Ask> {
	const pool = new Database({
		connectionString: way.url,
		applicationName: "test",
		most: 3,
		least: 3,
	});
	cleanups.push(() => pool.close());
	const repeats = new PostgresRepeats({
		query: (...statement) => {
			statements += 1;
			return pool.query(...statement);
		},
	});
	await repeats.warm();
	const clock = new MemoryClock(Date.now());
	const known = {
		get: (key: string) => definitions.get(key),
		all: () => [...definitions.values()],
	};
	const posteriors = new PosteriorCache(
		new MemoryPosteriorSource(),
		known,
		clock,
	);
	await posteriors.poll();
	const decide = new Decide(
		{
			definitions: known,
			posteriors,
			live: new MemoryLive(),
			ids: new MemoryIds(clock),
			log: new MemoryDecisionLog(),
			repeats,
		},
		20_000,
	);
	return (request) =>
		decide.execute({
			experiment: "trips",
			unit: "u",
			context: { v: 0.5 },
			...request,
		}) as Promise<DrawnDecision>;
}

/** What `work` came to, and its trips to Postgres. */
async function counted<T>(
	work: () => Promise<T>,
): Promise<{ result: T; trips: number }> {
	const before = way.trips();
	const result = await work();
	return { result, trips: way.trips() - before };
}

/** A decision for which Postgres was asked once, no more and no less. */
async function once(ask: Ask, request: Partial<DecisionRequest>) {
	const { result, trips } = await counted(() => ask(request));
	expect(result.degraded).toEqual([]);
	expect(trips).toBe(1);
	return result;
}

const change = (
	key: string,
	arms: (arms: Definition["experiment"]["arms"]) => readonly object[],
) => {
	const definition = definitions.get(key) as Definition;
	const { experiment } = definition;
	definitions.set(key, {
		...definition,
		id: ++rows,
		experiment: { ...experiment, arms: arms(experiment.arms) as never },
	});
};
const retire = (key: string, retired: string) =>
	change(key, (arms) =>
		arms.map((arm) =>
			arm.key === retired ? { ...arm, state: "retired" } : arm,
		),
	);

test("a request with neither an id nor a sticky experiment asks Postgres nothing, nor does mode best with both", async () => {
	const { trips } = await counted(async () => {
		for (let i = 0; i < 20; i++) await here({ unit: `u${i}`, session: "s" });
		await here({ mode: "best", requestId: "best" });
		await here({ experiment: "trips-unit", mode: "best", requestId: "best" });
	});
	expect(trips).toBe(0);
});

test("a request with an id asks once: new, again, on another decider, after a restart, and as another request, which is refused", async () => {
	const first = await once(here, { requestId: "r1" });
	expect(await once(here, { requestId: "r1" })).toEqual(first);
	expect(await once(there, { requestId: "r1" })).toEqual(first);
	expect(await once(await aDecider(), { requestId: "r1" })).toEqual(first);
	const { result, trips } = await counted(() =>
		there({ requestId: "r1", unit: "other" }).catch((error) => error.code),
	);
	expect([result, trips]).toEqual(["invalid", 1]);
});

test("a request that can be decided no more asks once for what its id names", async () => {
	const first = await once(here, { requestId: "r2", eligible: ["a"] });
	retire("trips", "a");
	expect(await once(here, { requestId: "r2", eligible: ["a"] })).toEqual(first);
});

test("twenty requests at once on one decider ask once together", async () => {
	const { result, trips } = await counted(() =>
		Promise.all(
			Array.from({ length: 20 }, (_, i) => here({ requestId: `r3 ${i % 4}` })),
		),
	);
	expect(new Set(result.map(({ decisionId }) => decisionId)).size).toBe(4);
	expect(trips).toBe(1);
});

test.each(["unit", "session"])(
	"in an experiment that is sticky for a %s a request without an id asks once: for the first decision, the same again, and another one where its arm is retired",
	async (sticky) => {
		const ask = { experiment: `trips-${sticky}`, unit: "s1", session: "s" };
		const first = await once(here, ask);
		expect(await once(there, ask)).toEqual({ ...first, repeated: true });
		retire(ask.experiment, first.arm);
		const second = await once(here, ask);
		expect(second.arm).not.toBe(first.arm);
		expect(await once(there, ask)).toEqual({ ...second, repeated: true });
	},
);

test.each(["unit", "session"])(
	"a request with an id in an experiment that is sticky for a %s asks once, whatever stands under which of its two keys",
	async (sticky) => {
		const ask = { experiment: `trips-${sticky}`, unit: "s2", session: "s" };
		const id = (name: string) => ({ ...ask, requestId: `${sticky} ${name}` });
		const first = await once(here, id("new"));
		expect(await once(there, id("new"))).toEqual(first);
		// Of the unit or session, with another id; its arm's payload has changed meanwhile.
		change(ask.experiment, (arms) =>
			arms.map((arm) => ({ ...arm, payload: { z: 2, a: arm.key } })),
		);
		const payload = { z: 2, a: first.arm };
		const again = await once(here, id("again"));
		expect(JSON.stringify(again)).toBe(
			JSON.stringify({ ...first, payload, repeated: true }),
		);
		// A retry gets that word for word, though the payload changes once more and the arm is retired.
		change(ask.experiment, (arms) =>
			arms.map((arm) => ({ ...arm, payload: {} })),
		);
		retire(ask.experiment, first.arm);
		expect(JSON.stringify(await once(there, id("again")))).toBe(
			JSON.stringify(again),
		);
		const second = await once(there, id("retired"));
		expect(second.arm).not.toBe(first.arm);
		expect(second).not.toHaveProperty("repeated");
		expect(await once(here, id("retired"))).toEqual(second);
		expect((await once(here, ask)).decisionId).toBe(second.decisionId);
		expect(await once(await aDecider(), id("new"))).toEqual(first);
		const { result, trips } = await counted(() =>
			here({ ...id("new"), unit: "s3" }).catch((error) => error.code),
		);
		expect([result, trips]).toEqual(["invalid", 1]);
		expect(await once(here, { ...ask, unit: "s3" })).not.toHaveProperty(
			"repeated",
		);
	},
);

test("requests that meet on their keys, here and on another decider, wait for each other in the database and send nothing twice", async () => {
	const before = statements;
	const { result, trips } = await counted(async () => {
		const answers = [];
		for (let round = 0; round < 10; round++)
			answers.push(
				...(await Promise.all(
					Array.from({ length: 400 }, (_, i) =>
						(i % 2 === 0 ? here : there)({
							experiment: "trips-unit",
							unit: `meets ${round} ${(i * 7) % 40}`,
							requestId: `meets ${round} ${(i * 7) % 40} ${i % 80}`,
						}),
					),
				)),
			);
		return answers;
	});
	expect(new Set(result.flatMap(({ degraded }) => degraded))).toEqual(
		new Set(),
	);
	expect(new Set(result.map(({ decisionId }) => decisionId)).size).toBe(400);
	expect(trips).toBe(statements - before);
});

test("a request with an id asks once where its session is not named, and says so", async () => {
	const ask = { experiment: "trips-session", requestId: "no session" };
	const { result, trips } = await counted(() => here(ask));
	expect([result.degraded, trips]).toEqual([["sticky"], 1]);
	expect((await counted(() => there(ask))).result).toEqual(result);
});
