import { describe, expect, it } from "vitest";
import {
	MemoryClock,
	MemoryDecisionLog,
	MemoryIds,
	MemoryPastSums,
	MemoryPosteriorSource,
} from "#adapters/memory";
import type { Feature, JsonObject, NumberFeature } from "#core/experiment";
import { decodeMessage, encodeDecisions, LOG_SUBJECT } from "#core/log";
import {
	Decide,
	type DrawnDecision,
	type LiveContext,
	PosteriorCache,
	RederiveDecision,
	whyMissing,
} from "../src/index.js";
import { definition } from "./definitions.js";

const number = { kind: "number", mean: 0, scale: 1 } as const;
const counted = (name: string): NumberFeature => ({
	...number,
	name,
	from: "live",
	live: { event: name, windowMs: 30_000, aggregate: "last", by: "unit" },
});
const consent = "personalization";
const features: readonly Feature[] = [
	{ name: "tempo", from: "request", ...number },
	counted("skip"),
	counted("save"),
	{ ...counted("dwell"), consent },
	{ name: "loyalty", from: "profile", ...number },
	{ name: "tier", from: "profile", kind: "attribute", values: ["paid"] },
	{ name: "taste", from: "profile", kind: "vector", length: 2, consent },
	{ name: "byTempo", from: "product", kind: "product", of: ["skip", "tempo"] },
	{ name: "byTaste", from: "product", kind: "product", of: ["tempo", "taste"] },
];
const BOOT = "018f3c5e-0000-4000-8000-000000000000";

/** One decision for a unit that has allowed nothing, and the same derived again from what the log keeps. */
async function decided(
	read: (event: string) => number | null | undefined,
	profile: JsonObject | null,
	context: JsonObject = {},
) {
	const current = definition(
		{},
		{
			context: { intercept: true, features },
			arms: [
				{ key: "a", payload: {}, tags: [] },
				{ key: "b", payload: {}, tags: [] },
			],
		},
	);
	const clock = new MemoryClock(Date.UTC(2025, 10, 24, 8));
	const definitions = { get: () => current, all: () => [current] };
	const source = new MemoryPosteriorSource();
	const log = new MemoryDecisionLog();
	const live: LiveContext = { read: ({ event }) => read(event) };
	const posteriors = new PosteriorCache(source, definitions, clock);
	await posteriors.poll();
	const answer = (await new Decide(
		{
			definitions,
			posteriors,
			live,
			ids: new MemoryIds(clock),
			log,
			profiles: { lookUp: () => profile },
		},
		100,
	).execute({
		experiment: current.experiment.key,
		unit: "listener-1",
		context,
		explain: true,
	})) as DrawnDecision;
	const publisher = { boot: BOOT, sequence: 1 };
	const bytes = encodeDecisions(log.rows, publisher);
	const [item] = decodeMessage(LOG_SUBJECT, bytes).items;
	const row = item?.ok && "propensities" in item.value ? item.value : null;
	const again = await new RederiveDecision(
		{ byIds: async () => [current] },
		new MemoryPastSums(source),
		null,
	).execute(row!);
	expect(again.rederived).toMatchObject({ equal: true, differences: [] });
	expect(again.explanation).toEqual(answer.explanation);
	const reasons = Object.fromEntries(
		(answer.explanation?.features ?? []).flatMap(({ name, reason }) =>
			reason === undefined ? [] : [[name, reason]],
		),
	);
	expect(reasons).toEqual(whyMissing(row!));
	expect(Object.keys(reasons).sort()).toEqual([...answer.missing].sort());
	return { reasons, row, answer };
}

const there = () => 1;
const loyal = { loyalty: 1, tier: "paid" };

describe("why a feature is missing is told, and told again from the log,", () => {
	it("where it is there: not at all", async () => {
		const { reasons } = await decided(there, loyal, { tempo: 1 });
		expect(reasons).toEqual({
			dwell: "no consent",
			taste: "no consent",
			byTaste: "no consent",
		});
	});

	it("where nobody gave it: absent, also of a profile that does not have it, or has it with another type", async () => {
		const { reasons, row } = await decided(() => null, { loyalty: "much" });
		expect(reasons).toEqual({
			tempo: "absent",
			skip: "absent",
			save: "absent",
			dwell: "no consent",
			loyalty: "absent",
			tier: "absent",
			taste: "no consent",
			byTempo: "absent",
			byTaste: "absent",
		});
		expect(row?.extra).toMatchObject({
			missing: { dwell: "no consent", taste: "no consent" },
		});
	});

	it("where its profile was not had in time: over budget, of those that may be looked up only", async () => {
		const { reasons, answer } = await decided(there, null, { tempo: 1 });
		expect(answer.degraded).toEqual(["profile"]);
		expect(reasons).toEqual({
			loyalty: "over budget",
			tier: "over budget",
			dwell: "no consent",
			taste: "no consent",
			byTaste: "no consent",
		});
	});

	it("where its windows do not follow the stream: out of date, while others that do say that nothing came", async () => {
		const { reasons, answer } = await decided(
			(event) => (event === "skip" || event === "dwell" ? undefined : null),
			loyal,
			{ tempo: 1 },
		);
		expect(answer.degraded).toEqual(["live"]);
		expect(reasons).toEqual({
			skip: "out of date",
			byTempo: "out of date",
			save: "absent",
			dwell: "no consent",
			taste: "no consent",
			byTaste: "no consent",
		});
	});
});

it("a row that says something else in its place is read as if it said nothing", () => {
	const missing = ["hour"];
	for (const extra of [null, 3, [], { missing: 3 }, { missing: { hour: 1 } }])
		expect(whyMissing({ missing, extra })).toEqual({ hour: "absent" });
});
