import { Matrix, solve } from "ml-matrix";
import { describe, expect, it } from "vitest";
import {
	MemoryClock,
	MemoryDecisionLog,
	MemoryIds,
	MemoryLive,
	MemoryPosteriorSource,
} from "#adapters/memory";
import { compileEncoder } from "#core/context";
import type { JsonObject, Policy } from "#core/experiment";
import type { DecisionRow } from "#core/log";
import { addObservation, emptySums } from "#core/policy";
import { seededRandom } from "../../../../test/support/random.js";
import {
	Decide,
	type DrawnDecision,
	type Explanation,
	PosteriorCache,
} from "../src/index.js";
import { D, DAY, definition, experiment } from "./definitions.js";

const seed = Number(process.env.SEED ?? 20261127);
const TODAY = 20_000;
const DECISIONS = 40;
const RIDGE = 0.5;
const ALPHA = 0.75;
const FLOOR = 0.1;

/** What an arm learned once. */
interface Observation {
	readonly arm: number;
	readonly x: readonly number[];
	readonly reward: number;
}

/** mean and width of an arm at x. */
type Scored = { readonly mean: number; readonly width: number };

/** zᵀθ and √(zᵀA⁻¹z) of a ridge regression over dense rows, by a solver that is not ours. */
class DenseRidge {
	readonly #A: Matrix;
	readonly #b: Matrix;

	constructor(
		d: number,
		rows: readonly { readonly z: readonly number[]; readonly reward: number }[],
	) {
		this.#A = Matrix.eye(d, d).mul(RIDGE);
		this.#b = Matrix.zeros(d, 1);
		for (const { z, reward } of rows) {
			const column = Matrix.columnVector([...z]);
			this.#A.add(column.mmul(column.transpose()));
			this.#b.add(Matrix.mul(column, reward));
		}
	}

	at(z: readonly number[]): Scored {
		const column = Matrix.columnVector([...z]);
		const theta = solve(this.#A, this.#b);
		return {
			mean: column.dot(theta),
			width: Math.sqrt(column.dot(solve(this.#A, column))),
		};
	}
}

/** Shared with the other arms under the hybrid. */
const featuresOf = (arm: number) => [1, arm / 2 - 0.5];

type Oracle = (arm: number, x: readonly number[]) => Scored;

function disjoint(learned: readonly Observation[]): Oracle {
	const ridges = experiment.arms.map((_, a) => {
		const own = learned.filter(({ arm }) => arm === a);
		return new DenseRidge(
			D,
			own.map(({ x, reward }) => ({ z: x, reward })),
		);
	});
	return (arm, x) => (ridges[arm] as DenseRidge).at(x);
}

/** One regression over (β, θ₁ … θ_K): z = (f ⊗ x, 0 … x … 0). */
function hybrid(learned: readonly Observation[]): Oracle {
	const joint = (arm: number, x: readonly number[]) => [
		...featuresOf(arm).flatMap((f) => x.map((value) => f * value)),
		...experiment.arms.flatMap((_, a) =>
			x.map((value) => (a === arm ? value : 0)),
		),
	];
	const ridge = new DenseRidge(
		D * (2 + experiment.arms.length),
		learned.map(({ arm, x, reward }) => ({ z: joint(arm, x), reward })),
	);
	return (arm, x) => ridge.at(joint(arm, x));
}

/** The floor, and the rest to the arms of the highest mean + α · width. */
function upperBound(scored: readonly Scored[]): number[] {
	const bounds = scored.map(({ mean, width }) => mean + ALPHA * width);
	const top = Math.max(...bounds) - 1e-9;
	const tied = bounds.filter((bound) => bound >= top).length;
	return bounds.map(
		(bound) => FLOOR / bounds.length + (bound >= top ? (1 - FLOOR) / tied : 0),
	);
}

const STEPS = 20_000;

/** The floor, and the rest by how often a normal N(mean, α²·width²) is the highest: trapezoids, each Φ summed up beside its φ. */
function sampled(scored: readonly Scored[]): number[] {
	const normals = scored.map(({ mean, width }) => ({
		mean,
		sd: ALPHA * width,
	}));
	const low = Math.min(...normals.map(({ mean, sd }) => mean - 9 * sd));
	const high = Math.max(...normals.map(({ mean, sd }) => mean + 9 * sd));
	const step = (high - low) / STEPS;
	const below = normals.map(() => 0);
	const won = normals.map(() => 0);
	let before = normals.map(() => 0);
	for (let i = 0; i <= STEPS; i++) {
		const t = low + i * step;
		const densities = normals.map(
			({ mean, sd }) =>
				Math.exp(-(((t - mean) / sd) ** 2) / 2) / (sd * Math.sqrt(2 * Math.PI)),
		);
		densities.forEach((density, a) => {
			below[a]! += ((before[a]! + density) / 2) * step;
		});
		densities.forEach((density, a) => {
			const others = below.reduce((p, q, b) => (b === a ? p : p * q), 1);
			won[a]! += density * others * step;
		});
		before = densities;
	}
	return won.map((p) => (1 - FLOOR) * p + FLOOR / normals.length);
}

const policies: readonly {
	readonly kind: "linucb" | "hybrid-linucb" | "thompson";
	readonly oracle: (learned: readonly Observation[]) => Oracle;
	readonly chances: (scored: readonly Scored[]) => number[];
	/** Of chances; the trapezoids' own error is below it. */
	readonly within: number;
}[] = [
	{ kind: "linucb", oracle: disjoint, chances: upperBound, within: 1e-12 },
	{ kind: "hybrid-linucb", oracle: hybrid, chances: upperBound, within: 1e-12 },
	{ kind: "thompson", oracle: disjoint, chances: sampled, within: 1e-6 },
];

function contextBy(random: () => number): JsonObject {
	return {
		hour: 24 * random(),
		device: ["phone", "desktop", "watch"][Math.floor(random() * 3)] as string,
		...(random() < 0.9 && {
			activity: ["sleep", "work", "run"][Math.floor(random() * 3)] as string,
		}),
	};
}

/** A decider that learned of every arm but `run`, all it learned, and what asks it. */
async function decider(policy: Policy, random: () => number) {
	const clock = new MemoryClock(TODAY * DAY);
	const source = new MemoryPosteriorSource();
	const arms = experiment.arms.map((arm, a) => ({
		...arm,
		features: featuresOf(a),
	}));
	const current = definition({}, { policy, arms });
	const definitions = { get: () => current, all: () => [current] };
	const posteriors = new PosteriorCache(source, definitions, clock);
	const { encode } = compileEncoder(experiment.context);
	const learned = Array.from({ length: 90 }, (_, i): Observation => {
		const skips30s = Math.floor(4 * random());
		const { x } = encode({ ...contextBy(random), skips30s });
		const arm = i % 3;
		return { arm, x: [...x], reward: Math.floor(16 * random()) / 8 - 0.5 };
	});
	for (const { arm, x, reward } of learned) {
		const sums = emptySums(D);
		addObservation(sums, D, Float64Array.from(x), 1, reward);
		const { key } = arms[arm]!;
		source.learn(experiment.key, 1, [{ arm: key, bucket: TODAY, sums }]);
	}
	await posteriors.poll();
	const live = new MemoryLive();
	const log = new MemoryDecisionLog();
	const ids = new MemoryIds(clock);
	const decide = new Decide({ definitions, posteriors, live, ids, log }, 1_000);
	const ask = async (unit: string, context: JsonObject) => {
		live.values.set(`${unit} skip 30000`, Math.floor(4 * random()));
		const answer = (await decide.execute({
			experiment: experiment.key,
			unit,
			context,
			explain: true,
		})) as DrawnDecision & { readonly explanation: Explanation };
		return { answer, row: log.rows.at(-1) as DecisionRow };
	};
	return { learned, ask };
}

const expectWithin = (got: number | null, want: number, most: number) =>
	expect(
		Math.abs((got ?? Number.NaN) - want),
		`${got} is not ${want}`,
	).toBeLessThanOrEqual(most);

describe.each(policies)(
	`the numbers explained of each eligible arm under $kind (SEED=${seed})`,
	({ kind, oracle, chances, within }) => {
		it("are the width √(xᵀA⁻¹x) of a dense solve and the chance that was served and logged, which sum to 1", async () => {
			const random = seededRandom(seed);
			const policy = { kind, alpha: ALPHA, ridge: RIDGE, explore: FLOOR };
			const { learned, ask } = await decider(policy, random);
			const scoredBy = oracle(learned);
			const seen = { groups: new Set<string>(), eligible: new Set<string>() };
			for (let i = 0; i < DECISIONS; i++) {
				const { answer, row } = await ask(`u${i}`, contextBy(random));
				const { explanation } = answer;
				const shown = explanation.arms.flatMap((arm, index) =>
					arm.eligible ? [{ ...arm, index }] : [],
				);
				expect(row.id).toBe(answer.decisionId);
				expect(explanation.x).toEqual([...row.x]);
				expect(shown.map(({ index }) => index)).toEqual(row.eligible);
				for (const { arm, index } of shown)
					expect(arm).toBe(experiment.arms[index]?.key);

				const scored = row.eligible.map((arm) => scoredBy(arm, explanation.x));
				shown.forEach(({ mean, width, score }, place) => {
					const want = scored[place]!;
					expectWithin(width, want.width, 1e-9);
					expectWithin(mean, want.mean, 1e-9);
					const bonus = kind === "thompson" ? 0 : ALPHA * want.width;
					expectWithin(score, want.mean + bonus, 1e-9);
				});

				const served = shown.map(({ propensity }) => propensity as number);
				expect(served).toEqual([...row.propensities]);
				const chosen = shown.find(({ arm }) => arm === answer.arm);
				expect(chosen?.propensity).toBe(answer.propensity);
				expect(chosen?.propensity).toBe(row.propensity);
				const total = served.reduce((sum, p) => sum + p, 0);
				expectWithin(total, 1, 1e-12);
				const own = chances(scored);
				const wanted =
					row.group === "policy" ? own : own.map(() => 1 / own.length);
				wanted.forEach((p, place) => {
					expectWithin(served[place]!, p, within);
				});
				seen.groups.add(row.group);
				seen.eligible.add(row.eligible.join());
			}
			expect(seen.groups).toEqual(new Set(["policy", "control"]));
			expect(seen.eligible).toEqual(new Set(["0,2", "0,1,2", "0,1,2,3"]));
		});
	},
);
