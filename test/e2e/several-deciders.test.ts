import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runExperiment, sampleExperiment, send } from "../support/client.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { startNats, type TestNats } from "../support/nats-server.js";
import { seededRandom } from "../support/random.js";
import { type Instance, startSegue, waitFor } from "../support/segue.js";

const SEED = Number(process.env.SEED ?? 20_261_126);
const live = { from: "live", kind: "number", event: "skip", window: "5m" };
const experiment = {
	...sampleExperiment,
	key: "shared",
	context: {
		features: [
			...sampleExperiment.context.features,
			{ name: "track", from: "request", kind: "attribute" },
			{ ...live, name: "skips" },
			{ ...live, name: "rate", aggregate: "rate" },
			{ ...live, name: "total", aggregate: "sum" },
			{ ...live, name: "dwell", aggregate: "mean" },
			{ ...live, name: "last", aggregate: "last" },
			{ ...live, name: "tracks", aggregate: "distinct" },
			{ ...live, name: "ofSession", by: "session" },
			{ ...live, name: "ofTrack", by: "item", item: "track" },
			{ ...live, name: "ofAll", by: "experiment" },
		],
	},
};
const UNITS = ["u1", "u2", "u3", "u4"];

type Values = Readonly<Record<string, unknown>>;

describe.each(["jetstream", "postgres"] as const)(
	"deciders over one %s",
	(stream) => {
		let database: TestDatabase;
		let nats: TestNats | null = null;
		let learner: Instance;
		let one: Instance;
		let two: Instance;
		const random = seededRandom(SEED);
		const some = <T>(list: readonly T[]): T =>
			list[Math.floor(random() * list.length)]!;

		const start = (app: "decider" | "learner", folder?: string) =>
			startSegue({
				app,
				folder,
				env: {
					DATABASE_URL: database.connectionString,
					SEGUE_STREAM: stream,
					// A slow machine would else put decisions into the spool.
					SEGUE_DECIDE_DEADLINE_MS: "5000",
					...(nats !== null && { NATS_URL: nats.url }),
				},
			});

		beforeAll(async () => {
			database = await createTestDatabase();
			if (stream === "jetstream") nats = await startNats();
			learner = await start("learner");
			[one, two] = await Promise.all([start("decider"), start("decider")]);
			await runExperiment(one.url, experiment);
			const asked = { experiment: experiment.key, unit: "u0" };
			await waitFor(
				async () =>
					(await send(two.url, "POST", "/v1/decisions", asked)).status === 200,
				5_000,
				() => "the other decider does not know the experiment",
			);
		});
		afterAll(async () => {
			await Promise.all([one, two].map((decider) => decider?.stop()));
			await learner?.stop();
			await nats?.stop();
			await database?.drop();
		});

		async function ask({ url }: Instance, unit: string) {
			const { status, body } = await send(url, "POST", "/v1/decisions", {
				experiment: "shared",
				unit,
				session: "evening",
				context: { tempo: 100, device: "phone", track: "t1" },
				explain: true,
			});
			expect(status, JSON.stringify(body)).toBe(200);
			const values: Values = Object.fromEntries(
				body.explanation.features.map(
					({ name, value }: { name: string; value: unknown }) => [name, value],
				),
			);
			return { id: body.decisionId as string, degraded: body.degraded, values };
		}

		let events = 0;
		const sent: { unit: string; decided: boolean }[] = [];
		/** Some skips by either door, a minute or so old, some of them twice and one in two of a decision of its own. */
		async function skip(deciders: readonly Instance[], count: number) {
			for (let i = 0; i < count; i++) {
				const unit = some(UNITS);
				const decided = random() < 0.5;
				const decision = decided ? await ask(some(deciders), unit) : null;
				const event = {
					id: `e${++events}`,
					type: "skip",
					unit,
					at: new Date(Date.now() - random() * 60_000).toISOString(),
					value: Math.floor(random() * 40) / 8,
					session: some(["evening", "morning"]),
					item: some(["t1", "t2", "t3"]),
					...(decision !== null && {
						decisionId: decision.id,
						at: new Date().toISOString(),
					}),
				};
				sent.push({ unit, decided });
				for (let copy = random() < 0.3 ? 2 : 1; copy > 0; copy--) {
					const { body } = await send(
						some(deciders).url,
						"POST",
						"/v1/events",
						{
							events: [event],
						},
					);
					expect(body.rejected).toEqual([]);
				}
			}
		}

		const skipsOf = (unit: string) =>
			sent.filter((event) => event.unit === unit).length;

		/** Until both know all that was sent: what either says of each unit then. */
		async function bothKnow() {
			const known = async (decider: Instance) => {
				let said: Values[] = [];
				const askAll = async () => {
					said = [];
					for (const unit of UNITS)
						said.push((await ask(decider, unit)).values);
				};
				await waitFor(
					async () => {
						await askAll();
						return UNITS.every((unit, i) => said[i]!.skips === skipsOf(unit));
					},
					15_000,
					() =>
						`of ${UNITS.map(skipsOf)} skips one knows ${JSON.stringify(said)}`,
				);
				// Whoever was asked first may have been answered before what others did was heard.
				await askAll();
				return said;
			};
			return Promise.all([known(one), known(two)]);
		}

		it(`see the same windows, whichever was sent what (SEED=${SEED})`, async () => {
			await skip([one, two], 30);
			const [ofOne, ofTwo] = await bothKnow();
			expect(ofTwo).toEqual(ofOne);
			expect(ofOne[0]).toMatchObject({
				ofAll: sent.filter(({ decided }) => decided).length,
			});
			for (const values of ofOne)
				expect(Object.values(values)).not.toContain(null);
		});

		it("see the same after one was killed and started again, which says so until it does", async () => {
			await two.kill();
			await skip([one], 10);
			two = await start("decider", two.folder);
			for (;;) {
				const { degraded, values } = await ask(two, "u1");
				expect(degraded).toEqual(values.skips === null ? ["live"] : []);
				if (values.skips === null) continue;
				expect(values.skips).toBe(skipsOf("u1"));
				break;
			}
			await skip([one, two], 10);
			const [ofOne, ofTwo] = await bothKnow();
			expect(ofTwo).toEqual(ofOne);
		});

		it("forget a unit within 2 s that was erased through another, and do not know it again when they start anew", async () => {
			const { status } = await send(one.url, "DELETE", "/v1/units/u2");
			expect(status).toBe(200);
			const answeredAt = performance.now();
			const here = (await ask(one, "u2")).values;
			expect([here.skips, here.ofSession]).toEqual([0, 0]);
			await waitFor(
				async () => (await ask(two, "u2")).values.skips === 0,
				5_000,
				() => "the other decider knows the unit still",
			);
			console.info(
				`The other decider forgot it ${Math.round(performance.now() - answeredAt)} ms after the answer`,
			);
			expect((await ask(two, "u2")).values.ofSession).toBe(0);
			expect((await ask(two, "u1")).values.skips).toBe(skipsOf("u1"));
			await two.stop();
			two = await start("decider");
			await waitFor(
				async () => (await ask(two, "u1")).values.skips === skipsOf("u1"),
				5_000,
				() => "the other decider does not know of the skips that stayed",
			);
			const { values, degraded } = await ask(two, "u2");
			expect(degraded).toEqual([]);
			expect([values.skips, values.ofSession, values.last]).toEqual([
				0,
				0,
				null,
			]);
		});
	},
);
