import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { beforeAll, describe, expect, it } from "vitest";
import {
	MemoryClock,
	MemoryDecisionLog,
	MemoryIds,
	MemoryLive,
	MemoryPosteriorSource,
	MemoryRepeats,
} from "#adapters/memory";
import type { Policy } from "#core/experiment";
import type { DecisionRow } from "#core/log";
import { addObservation, emptySums } from "#core/policy";
import { privacyOf } from "../../../../test/support/privacy.js";
import { Decide, PosteriorCache } from "../src/index.js";
import { D, DAY, definition, experiment } from "./definitions.js";
import {
	contextOf,
	type Scenario,
	scenariosOf,
} from "./propensity-scenarios.js";

const { chisquare } = createRequire(import.meta.url)("jstat") as {
	chisquare: { cdf(x: number, freedom: number): number };
};
/** The long form (npm run test:long) makes 200,000 decisions of each kind. */
const scenarios =
	process.env.SEGUE_LONG === "1"
		? scenariosOf(200_000, 200_000)
		: scenariosOf(20_000, 5_000);
const seed = Number(process.env.SEED ?? 20251124);
const withPrivacy = {
	policy: privacyOf(),
	tokens: { read: () => Promise.reject(new Error("No token is sent here.")) },
};

/**
 * Decisions of units in policy and control (control 0.2), exploration 0.1, under rules that leave two to four arms, unless the scenario
 * says otherwise; `calm` and `run` were tried, `focus` and `energy` never, so these tie wherever they lead (with `run` too, where x is
 * orthogonal to what it was taught).
 */
async function decideMany(scenario: Scenario): Promise<Seen> {
	const clock = new MemoryClock(Date.UTC(2025, 10, 24) + (seed % 1_000));
	const source = new MemoryPosteriorSource();
	const current = definition(
		{
			salt: seed.toString(16).padStart(64, "0"),
			...scenario.definition,
		},
		{
			...scenario.experiment,
			policy: { ...experiment.policy, ...scenario.policy } as Policy,
		},
	);
	const definitions = { get: () => current, all: () => [current] };
	const posteriors = new PosteriorCache(source, definitions, clock);
	const log = new MemoryDecisionLog();
	const live = new MemoryLive();
	const repeats = new MemoryRepeats(clock);
	const ids = new MemoryIds(clock);
	const { profiles, consents } = scenario;
	const privacy = consents && { ...withPrivacy, consents };
	const decide = new Decide(
		{ definitions, posteriors, live, ids, log, repeats, profiles, privacy },
		60_000,
	);
	const bucket = Math.floor(clock.now() / DAY) - 8;
	source.learn(experiment.key, 1, [
		{ arm: "calm", bucket, sums: taught(6, [1, 0, 1, 1, 0, 0, 0, 0], 1) },
		{ arm: "run", bucket, sums: taught(6, [1, 0, -1, 0, 1, 0, 0, 0], 1) },
	]);
	await posteriors.poll();
	await scenario.trouble?.({ clock, source, log, live, repeats });
	const seen = new Seen(current.experiment.arms.map(({ key }) => key));
	for (let i = 0; i < scenario.decisions * (scenario.asks ?? 1); i++) {
		clock.advance(1);
		const { degraded } = await decide.execute({
			experiment: experiment.key,
			unit: `listener-${i % 5_000}`,
			context: contextOf(i),
			...scenario.request?.(i),
		});
		if (
			scenario.degraded !== undefined &&
			!degraded.includes(scenario.degraded)
		)
			seen.wrong.push(`decision ${i} is degraded by ${degraded} alone`);
		for (const row of log.rows.splice(0)) seen.add(row);
	}
	return seen;
}

/** Decisions whose logged distribution over the same arms is the same: one multinomial. */
interface Cell {
	readonly row: DecisionRow;
	count: number;
	readonly chosen: Map<string, number>;
}

/** What rows said, without keeping them: the long form makes millions. */
class Seen {
	count = 0;
	/** What no row may be, in words. */
	readonly wrong: string[] = [];
	readonly cells = new Map<string, Cell>();
	/** Of 1/p less the number of possible arms: their sum, and that of their squares. */
	gaps = 0;
	squares = 0;

	constructor(
		/** Of the experiment, in order. */
		readonly keys: readonly string[],
	) {}

	add(row: DecisionRow): void {
		this.count++;
		this.judge(row);
		const gap =
			1 / row.propensity - row.propensities.filter((p) => p > 0).length;
		this.gaps += gap;
		this.squares += gap ** 2;
		const key = `${row.group} ${row.eligible.join()} ${row.propensities.join()}`;
		const cell = this.cells.get(key) ?? {
			row: { ...row, propensities: row.propensities.slice() },
			count: 0,
			chosen: new Map<string, number>(),
		};
		this.cells.set(key, cell);
		cell.count++;
		cell.chosen.set(row.arm, (cell.chosen.get(row.arm) ?? 0) + 1);
	}

	private judge(row: DecisionRow): void {
		const total = row.propensities.reduce((sum, p) => sum + p, 0);
		if (!(Math.abs(total - 1) <= 1e-12))
			this.wrong.push(`propensities of ${row.id} sum to ${total}`);
		if (row.distribution === "policy" && !row.propensities.every((p) => p > 0))
			this.wrong.push(`an arm of ${row.id} has no propensity above its floor`);
		const place = row.eligible.findIndex(
			(index) => this.keys[index] === row.arm,
		);
		if (row.propensities[place] !== row.propensity || !(row.propensity > 0))
			this.wrong.push(`${row.id} has ${row.propensity} for its arm`);
	}
}

function taught(times: number, x: readonly number[], reward: 0 | 1) {
	const sums = emptySums(D);
	for (let i = 0; i < times; i++)
		addObservation(sums, D, Float64Array.from(x), 1, reward);
	return sums;
}

/** χ² of counts against expectations, over cells of one distribution; cells expected less than 5 times are taken together. */
interface Fit {
	readonly statistic: number;
	readonly freedom: number;
}

function fitOf({ row, count, chosen }: Cell, keys: readonly string[]): Fit {
	const expected = [...row.propensities].map((p) => p * count);
	const counts = row.eligible.map(
		(index) => chosen.get(keys[index] ?? "") ?? 0,
	);
	const all = expected.map((mean, i) => ({ mean, count: counts[i] ?? 0 }));
	const impossible = all.filter(({ mean, count }) => mean === 0 && count > 0);
	expect(impossible, "arms of probability 0 were chosen").toEqual([]);
	const kept = all.filter(({ mean }) => mean > 0);
	const small = kept.filter(({ mean }) => mean < 5);
	const large = kept.filter(({ mean }) => mean >= 5);
	if (small.length > 0)
		large.push(
			small.reduce((sum, cell) => ({
				mean: sum.mean + cell.mean,
				count: sum.count + cell.count,
			})),
		);
	const statistic = large.reduce(
		(sum, { mean, count }) => sum + (count - mean) ** 2 / mean,
		0,
	);
	return { statistic, freedom: large.length - 1 };
}

describe.each(scenarios)(
	`$decisions decisions with $name (SEED=${seed})`,
	(scenario) => {
		let seen = new Seen([]);

		beforeAll(async () => {
			seen = await decideMany(scenario);
		}, 600_000);

		it("log propensities that sum to 1 within 1e-12, each greater than 0 in a policy with a floor, the answered arm's among them", () => {
			expect(seen.count).toBe(scenario.decisions);
			expect(seen.wrong.slice(0, 10)).toEqual([]);
		});

		it("choose arms as often as their logged propensities say (χ², p ≥ 0.001)", () => {
			const fits = [...seen.cells.values()].map((cell) =>
				fitOf(cell, seen.keys),
			);
			const statistic = fits.reduce((sum, cell) => sum + cell.statistic, 0);
			const freedom = fits.reduce((sum, cell) => sum + cell.freedom, 0);
			// Where one arm has all the probability, any other choice is infinitely unlikely, and every statistic is 0.
			const p =
				freedom === 0
					? Number(statistic === 0)
					: 1 - chisquare.cdf(statistic, freedom);
			expect(p, `χ² = ${statistic}, df = ${freedom}`).toBeGreaterThanOrEqual(
				0.001,
			);
		});

		it("weigh right: the mean of 1/p is the mean number of possible arms, within 3 standard errors", () => {
			const { count, gaps, squares } = seen;
			const mean = gaps / count;
			const variance = (squares - count * mean ** 2) / (count - 1);
			expect(Math.abs(mean)).toBeLessThanOrEqual(
				3 * Math.sqrt(Math.max(0, variance) / count),
			);
		});
	},
);

describe("whatever a decision may have to do without", () => {
	const scenes = [
		...new Set(scenarios.flatMap(({ degraded }) => degraded ?? [])),
	];
	const at = (path: string) => new URL(path, import.meta.url);

	it("is the subject of a scenario: each name that the glossary lists under `degraded`, and no other", () => {
		const glossary = readFileSync(at("../../../../docs/glossary.md"), "utf8");
		const [, listed = ""] = /^\| degraded \|([^|]*)\|/m.exec(glossary) ?? [];
		const named = [...listed.matchAll(/`(\w+)`/g)].map(([, part]) => part);
		expect(named.length).toBeGreaterThanOrEqual(11);
		expect(scenes.toSorted()).toEqual(named.toSorted());
	});

	it("is the subject of a scenario: each name that a line of the source puts into `degraded`", () => {
		const folder = at("../src/");
		const named = readdirSync(folder)
			.map((name) => readFileSync(new URL(name, folder), "utf8"))
			.flatMap((text) => text.split("\n"))
			.filter((line) => /\bdegraded\b/.test(line))
			// In a list, a call or a union of types; `["degraded"]` itself is a type.
			.flatMap((line) => [...line.matchAll(/[[(,|] ?"(?!degraded)(\w+)"/g)])
			.map(([, part]) => part as string);
		expect(new Set(named).size).toBeGreaterThanOrEqual(7);
		expect(named.filter((part) => !scenes.includes(part))).toEqual([]);
	});
});

describe("the first of these scenarios", () => {
	it("holds what it is about: both groups, two to four eligible arms, ties of two and three, an arm alone in the lead", async () => {
		const { cells } = await decideMany({
			...(scenarios[0] as Scenario),
			decisions: 2_000,
		});
		const rows = [...cells.values()].map(({ row }) => row);
		expect(new Set(rows.map((row) => row.group))).toEqual(
			new Set(["policy", "control"]),
		);
		expect(new Set(rows.map((row) => row.eligible.length))).toEqual(
			new Set([2, 3, 4]),
		);
		const policy = rows.filter((row) => row.group === "policy");
		const leaders = policy.map(
			(row) =>
				row.propensities.filter((p) => p === Math.max(...row.propensities))
					.length,
		);
		expect(new Set(leaders)).toEqual(new Set([1, 2, 3]));
	});
});
