import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../../test/support/random.js";
import {
	type Adjusted,
	adjustByCovariate,
	type CovariateMoments,
	ratioOfSums,
} from "./index.js";

const seed = Number(process.env.SEED ?? 20261126);

interface Unit {
	readonly n: number;
	readonly c: number;
	readonly x: number;
}

function moments(units: readonly Unit[]): CovariateMoments {
	const sum = (f: (unit: Unit) => number) =>
		units.reduce((total, unit) => total + f(unit), 0);
	return {
		units: units.length,
		n: sum(({ n }) => n),
		c: sum(({ c }) => c),
		nn: sum(({ n }) => n * n),
		nc: sum(({ n, c }) => n * c),
		cc: sum(({ c }) => c * c),
		x: sum(({ x }) => x),
		xx: sum(({ x }) => x * x),
		xn: sum(({ x, n }) => x * n),
		xc: sum(({ x, c }) => x * c),
	};
}

/** Loyal listeners decide more often and like more of what they get; `lift` is what a decision earns more. */
function listeners(size: number, lift: number, random: () => number): Unit[] {
	return Array.from({ length: size }, () => {
		const x = random();
		const n = 1 + Math.floor(9 * x * random() + 4 * random());
		let c = 0;
		for (let i = 0; i < n; i++) c += Number(random() < 0.1 + 0.6 * x + lift);
		return { n, c, x };
	});
}

describe(`CUPED of a ratio metric (SEED=${seed})`, () => {
	it("finds the lift with a smaller error than without, and says that error rightly", () => {
		const random = seededRandom(seed);
		const [runs, lift] = [400, 0.05];
		let [estimates, squares, variance, unadjusted, outside] = [0, 0, 0, 0, 0];
		for (let run = 0; run < runs; run++) {
			const [a, b] = [
				moments(listeners(150, 0, random)),
				moments(listeners(400, lift, random)),
			];
			const { absolute } = adjustByCovariate(a, b) as Adjusted;
			estimates += absolute.estimate / runs;
			squares += absolute.estimate ** 2 / runs;
			variance += absolute.standardError ** 2 / runs;
			unadjusted += (ratioOfSums(a).variance + ratioOfSums(b).variance) / runs;
			outside += Number(
				Math.abs(absolute.estimate - lift) > 1.96 * absolute.standardError,
			);
		}
		const spread = squares - estimates ** 2;
		expect(Math.abs(estimates - lift)).toBeLessThan(
			3 * Math.sqrt(spread / runs),
		);
		expect(variance).toBeLessThan(0.8 * unadjusted);
		expect(variance / spread).toBeGreaterThan(0.8);
		expect(variance / spread).toBeLessThan(1.25);
		expect(outside / runs).toBeLessThan(
			0.05 + 3 * Math.sqrt((0.05 * 0.95) / runs),
		);
	});

	it("is the same whatever the unit and the zero of the covariate", () => {
		const random = seededRandom(seed);
		const [a, b] = [listeners(80, 0, random), listeners(90, 0.1, random)];
		const moved = (units: readonly Unit[]) =>
			units.map((unit) => ({ ...unit, x: 40 - 7 * unit.x }));
		const here = adjustByCovariate(moments(a), moments(b)) as Adjusted;
		const there = adjustByCovariate(
			moments(moved(a)),
			moments(moved(b)),
		) as Adjusted;
		expect(there.theta).toBeCloseTo(-here.theta / 7, 9);
		for (const difference of ["absolute", "relative"] as const) {
			expect(there[difference]?.estimate).toBeCloseTo(
				Number(here[difference]?.estimate),
				9,
			);
			expect(there[difference]?.standardError).toBeCloseTo(
				Number(here[difference]?.standardError),
				9,
			);
		}
	});

	it("takes out all that the covariate foretells", () => {
		const units = [1, 2, 4, 7, 9].map((x) => ({ n: 1, c: 3 * x + 2, x }));
		const adjusted = adjustByCovariate(moments(units), moments(units.slice(1)));
		expect(adjusted?.theta).toBeCloseTo(3, 9);
		expect(adjusted?.absolute.estimate).toBeCloseTo(0, 9);
		expect(adjusted?.absolute.standardError).toBeCloseTo(0, 6);
	});

	it("is not made where there is nothing to adjust, or nothing to adjust by", () => {
		const some = moments(listeners(20, 0, seededRandom(seed)));
		const alike = moments([
			{ n: 1, c: 0, x: 5 },
			{ n: 2, c: 1, x: 5 },
		]);
		expect(adjustByCovariate(alike, alike)).toBeNull();
		expect(adjustByCovariate(some, moments([{ n: 1, c: 0, x: 5 }]))).toBeNull();
		const idle = moments([
			{ n: 0, c: 0, x: 1 },
			{ n: 0, c: 0, x: 2 },
		]);
		expect(adjustByCovariate(idle, some)).toBeNull();
		const poor = moments([
			{ n: 1, c: 0, x: 1 },
			{ n: 1, c: 0, x: 2 },
		]);
		expect(adjustByCovariate(poor, some)?.relative).toBeNull();
	});
});
