import { afterEach, describe, expect, test } from "vitest";
import {
	runExperiment,
	sampleExperiment,
	sampleRequest,
	send,
} from "../support/client.js";
import { createTestDatabase } from "../support/database.js";
import { startNats } from "../support/nats-server.js";
import { seededRandom, shuffled } from "../support/random.js";
import { segueCli, startSegue, waitFor } from "../support/segue.js";

const DECISIONS = 400;
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Sums {
	n: number;
	readonly A: number[][];
	readonly b: number[];
}

interface Sent {
	readonly arm: string;
	readonly x: readonly number[];
	/** Types of the distinct events sent for it. */
	readonly types: readonly string[];
}

/** The fold a reader of the documentation would write: λI + Σ x xᵀ and Σ R x over the shown decisions. */
function expectedSums(arm: string, sent: readonly Sent[], d: number): Sums {
	const sums: Sums = {
		n: 0,
		A: Array.from({ length: d }, (_, i) =>
			Array.from({ length: d }, (_, j) => (i === j ? 1 : 0)),
		),
		b: new Array<number>(d).fill(0),
	};
	const value: Record<string, number> = {
		play: 0.3,
		complete: 0.7,
		skip: -0.2,
	};
	const grid = (v: number) => Math.round(v * 4096) / 4096;
	for (const decision of sent) {
		if (decision.arm !== arm || decision.types.length === 0) continue;
		const total = decision.types.reduce(
			(sum, type) => sum + grid(value[type] ?? 0),
			0,
		);
		const reward = Math.min(2, Math.max(-1, total));
		sums.n += 1;
		for (let i = 0; i < d; i++) {
			sums.b[i] = (sums.b[i] as number) + reward * (decision.x[i] as number);
			const row = sums.A[i] as number[];
			for (let j = 0; j < d; j++)
				row[j] =
					(row[j] as number) +
					(decision.x[i] as number) * (decision.x[j] as number);
		}
	}
	return sums;
}

describe.each(["jetstream", "postgres"] as const)(
	"on the %s stream",
	(stream) => {
		test("A and b of the posterior are bit-equal to a fold of what was sent, with two learners, duplicates, shuffles and early outcomes", {
			timeout: 120_000,
		}, async () => {
			const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
			console.log(`exact-learning ${stream}: SEED=${seed}`);
			const random = seededRandom(seed);
			const database = await createTestDatabase();
			cleanups.push(() => database.drop());
			const env: Record<string, string> = {
				DATABASE_URL: database.connectionString,
				SEGUE_STREAM: stream,
			};
			if (stream === "jetstream") {
				const nats = await startNats();
				cleanups.push(() => nats.stop());
				env.NATS_URL = nats.url;
			}
			const decider = await startSegue({ app: "decider", env });
			cleanups.push(() => decider.stop());
			await runExperiment(decider.url, sampleExperiment);

			const sent = new Map<string, Sent>();
			const events: Record<string, unknown>[] = [];
			const early: Record<string, unknown>[] = [];
			for (let i = 0; i < DECISIONS; i++) {
				const request = sampleRequest(i);
				const { status, body } = await send(
					decider.url,
					"POST",
					"/v1/decisions",
					{ ...request, explain: true },
				);
				expect(status, JSON.stringify(body)).toBe(200);
				const types = ["impression", "play", "complete", "skip"].filter(
					() => random() < 0.4,
				);
				sent.set(body.decisionId, {
					arm: body.arm,
					x: body.explanation.x,
					types,
				});
				for (const type of types) {
					const event = {
						id: `${type}-${i}`,
						type,
						at: new Date().toISOString(),
						unit: request.unit,
						decisionId: body.decisionId,
					};
					(random() < 0.05 ? early : events).push(event);
					if (random() < 0.2) events.push(event);
				}
			}
			// Nothing is stored yet, as no learner runs: the database meets the early ones first only if they overtake the decisions.
			for (const event of early)
				await storeBeforeItsDecision(database.connectionString, event);
			const learners = await Promise.all([
				startSegue({ app: "learner", env }),
				startSegue({ app: "learner", env }),
			]);
			for (const learner of learners) cleanups.push(() => learner.stop());
			const shuffledEvents = shuffled(events, random);
			for (let start = 0; start < shuffledEvents.length; start += 7) {
				const { status, body } = await send(decider.url, "POST", "/v1/events", {
					events: shuffledEvents.slice(start, start + 7),
				});
				expect(status).toBe(202);
				expect(body.rejected).toEqual([]);
			}

			const d = [...sent.values()][0]?.x.length as number;
			const shown = [...sent.values()].filter(
				(decision) => decision.types.length > 0,
			).length;
			const posterior = async () =>
				(await send(decider.url, "GET", "/v1/experiments/sample/posterior"))
					.body;
			const distinct = [...sent.values()].reduce(
				(count, decision) => count + decision.types.length,
				0,
			);
			await waitFor(
				async () => {
					const { stdout } = await segueCli(["replay", "--json"], env);
					const replay = JSON.parse(stdout.trim().split("\n").at(-1) as string);
					expect(replay.differences).toEqual([]);
					const { arms } = await posterior();
					const n = arms.reduce(
						(sum: number, arm: { n: number }) => sum + arm.n,
						0,
					);
					return replay.outcomes === distinct && n === shown;
				},
				40_000,
				() => `not everything was learned:\n${decider.output().slice(-2_000)}`,
			);
			// A decider refreshes within moments of the last commit; the sums themselves are what is compared.
			await waitFor(
				async () => {
					const { arms } = await posterior();
					return ["a", "b", "c"].every((arm) => {
						const got = arms.find(
							(entry: { arm: string }) => entry.arm === arm,
						);
						const want = expectedSums(arm, [...sent.values()], d);
						return (
							got.n === want.n &&
							equalBits(got.A.flat(), want.A.flat()) &&
							equalBits(got.b, want.b)
						);
					});
				},
				5_000,
				() => "the posterior is not bit-equal to the fold",
			);
		});
	},
);

const equalBits = (a: readonly number[], b: readonly number[]) =>
	a.length === b.length &&
	a.every((value, i) => Object.is(value + 0, (b[i] as number) + 0));

/** Commits an outcome as a learner that got the outcome's message first would: through the ledger itself. */
async function storeBeforeItsDecision(
	connectionString: string,
	event: Record<string, unknown>,
): Promise<void> {
	const {
		Database,
		PostgresDefinitionStore,
		PostgresLearningLedger,
		isRefusal,
	} = await import("#adapters/postgres");
	const { Learn } = await import("#usecases/learning");
	const database = new Database({ connectionString, applicationName: "early" });
	const store = new PostgresDefinitionStore(database);
	const ledger = new PostgresLearningLedger({
		connectionString,
		applicationName: "early",
		definitions: (ids) => store.byIds(ids),
	});
	const body = new TextEncoder().encode(JSON.stringify(event));
	const message = {
		subject: `segue.events.${event.type}`,
		body,
		storedAt: Date.now(),
		position: -1,
	};
	await new Learn(ledger, isRefusal).execute([message]);
	await ledger.close();
	await database.close();
}
