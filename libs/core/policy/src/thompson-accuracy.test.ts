import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../../../test/support/random.js";
import { thompsonPropensities } from "./thompson.js";

const jstat = createRequire(import.meta.url)("jstat") as {
	erf(x: number): number;
	chisquare: { cdf(x: number, freedom: number): number };
};
const seed = Number(process.env.SEED ?? 20251215);
const DRAWS = Number(process.env.THOMPSON_DRAWS ?? 200_000);
const random = seededRandom(seed);

/** Φ by a library that the core does not use for this. */
const cdf = (z: number) => (1 + jstat.erf(z / Math.SQRT2)) / 2;
const density = (z: number) => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
const normal = () =>
	Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const between = (low: number, high: number) => low + (high - low) * random();

interface Arms {
	readonly means: Float64Array;
	readonly sds: Float64Array;
}
const arms = (
	size: number,
	mean: (a: number) => number,
	sd: (a: number) => number,
): Arms => ({
	means: Float64Array.from({ length: size }, (_, a) => mean(a)),
	sds: Float64Array.from({ length: size }, (_, a) => sd(a)),
});
const largestGap = (
	actual: ArrayLike<number>,
	expected: ArrayLike<number>,
): number =>
	Array.from(actual, (p, a) => Math.abs(p - (expected[a] as number))).reduce(
		(worst, gap) => Math.max(worst, gap),
		0,
	);

/** Simpson's rule, halved until it agrees with itself to 1e-12 of its whole. */
function simpson(
	f: (t: number) => number,
	[a, fa]: readonly [number, number],
	[b, fb]: readonly [number, number],
	tolerance: number,
	depth = 40,
): number {
	const m = (a + b) / 2;
	const [l, r] = [(a + m) / 2, (m + b) / 2];
	const [fl, fm, fr] = [f(l), f(m), f(r)];
	const coarse = ((b - a) / 6) * (fa + 4 * fm + fb);
	const fine = ((b - a) / 12) * (fa + 4 * fl + 2 * fm + 4 * fr + fb);
	if (depth === 0 || Math.abs(fine - coarse) < 15 * tolerance)
		return fine + (fine - coarse) / 15;
	return (
		simpson(f, [a, fa], [m, fm], tolerance / 2, depth - 1) +
		simpson(f, [m, fm], [b, fb], tolerance / 2, depth - 1)
	);
}

/** ∫ φ(z) Π_{b≠a} Φ((μ_a + σ_a z − μ_b)/σ_b) dz over −8.5…8.5, one arm at a time, in pieces that start and end where another arm is. */
function integral(a: number, { means, sds }: Arms): number {
	const [mean, sd] = [means[a] as number, sds[a] as number];
	const f = (z: number) => {
		let product = density(z);
		for (let b = 0; b < means.length; b++)
			if (b !== a)
				product *= cdf(
					(mean - (means[b] as number) + sd * z) / (sds[b] as number),
				);
		return product;
	};
	const edges = [...means].flatMap((other, b) =>
		[-8, -3, 0, 3, 8].map((k) => (other + k * (sds[b] as number) - mean) / sd),
	);
	const cuts = [-8.5, ...edges.filter((z) => Math.abs(z) < 8.5), 8.5].sort(
		(l, r) => l - r,
	);
	let sum = 0;
	for (let i = 1; i < cuts.length; i++) {
		const [from, to] = [cuts[i - 1] as number, cuts[i] as number];
		if (to > from)
			sum += simpson(f, [from, f(from)], [to, f(to)], 1e-12 / cuts.length);
	}
	return sum;
}

describe(`the propensities of Thompson sampling (SEED=${seed})`, () => {
	test("of two arms are Φ((μ₁ − μ₂)/√(σ₁² + σ₂²)), for σ from equal to 1 : 100,000 and any gap", () => {
		let worst = 0;
		for (let i = 0; i < 5_000; i++) {
			const sd = 10 ** between(-4, 1);
			const sds = Float64Array.of(sd, sd * 10 ** between(0, 5));
			const both = Math.hypot(sds[0] as number, sds[1] as number);
			const gap = both * between(-9, 9) * random();
			const means = Float64Array.of(gap, 0);
			const p = cdf(gap / both);
			worst = Math.max(
				worst,
				largestGap(thompsonPropensities(means, sds), [p, 1 - p]),
			);
		}
		expect(worst).toBeLessThan(1e-11);
	});

	test("of two narrow arms far from 0 are as exact", () => {
		const means = Float64Array.of(1_000, 1_000 + 2 ** -30);
		const sds = Float64Array.of(2 ** -30, 2 ** -30);
		const p = cdf(-1 / Math.SQRT2);
		expect(
			largestGap(thompsonPropensities(means, sds), [p, 1 - p]),
		).toBeLessThan(1e-11);
	});

	test("of three to five arms are those of mpmath with 40 digits", () => {
		const known: [number[], number[], number[]][] = [
			[
				[0, 0.5, 0.25],
				[1, 0.5, 2],
				[0.208275926343322, 0.3843573577943747, 0.4073667158623032],
			],
			[
				[0.1, 0.2, 0.3, 0.4],
				[0.3, 0.001, 0.05, 1],
				[
					0.1346935321900126, 0.006042216095029507, 0.3380122310373646,
					0.5212520206775934,
				],
			],
			[
				[1, 1, 1, 1.001, 0.2],
				[1e-5, 1e-3, 0.1, 1e-4, 1],
				[
					2.495148880775672e-24, 0.06379228228297983, 0.401628784397677,
					0.333848408254814, 0.2007305250645292,
				],
			],
		];
		for (const [means, sds, p] of known)
			expect(
				largestGap(
					thompsonPropensities(
						Float64Array.from(means),
						Float64Array.from(sds),
					),
					p,
				),
			).toBeLessThan(1e-11);
	});

	const kinds: Record<string, (size: number) => Arms> = {
		alike: (size) =>
			arms(
				size,
				() => between(-1, 1),
				() => between(0.5, 1.5),
			),
		"of σ from 1 to 100,000": (size) => {
			const scales = Array.from({ length: size }, () => 10 ** between(-5, 0));
			return arms(
				size,
				(a) => (scales[a] as number) * normal(),
				(a) => scales[a] as number,
			);
		},
		"with a narrow one at the top of the others": (size) =>
			arms(
				size,
				(a) => (a === 0 ? between(1, 3) : normal()),
				(a) => (a === 0 ? 10 ** between(-4, 0) : 1),
			),
	};
	for (const [kind, make] of Object.entries(kinds))
		for (const size of [3, 8, 20, 50])
			test(`of ${size} arms ${kind} are those of an adaptive Simpson's rule`, () => {
				const some = make(size);
				const p = thompsonPropensities(some.means, some.sds);
				const picked = size <= 8 ? [...p.keys()] : [0, 1, 2, size - 1];
				for (const a of picked)
					expect(
						Math.abs((p[a] as number) - integral(a, some)),
						`arm ${a} of μ ${some.means} σ ${some.sds}`,
					).toBeLessThan(2e-11);
			});

	for (const equal of [4, 12, 13, 32, 33, 200, 201, 1_000])
		test(`of ${equal} equal arms and a wider one are those of an adaptive Simpson's rule`, () => {
			// Equal arms alone prove nothing: they share 1 whatever the quadrature. The best of many is the sharpest thing it meets.
			for (let i = 0; i < 4; i++) {
				const [mean, sd] = [between(-1, 4), between(1, 8)];
				const some = arms(
					equal + 1,
					(a) => (a === 0 ? mean : 0),
					(a) => (a === 0 ? sd : 1),
				);
				// Π of equal factors, so that the reference need not evaluate a thousand.
				const pieces = [-8.5, -4, -2, -1, 0, 1, 2, 4, 8.5];
				const f = (z: number) => density(z) * cdf(mean + sd * z) ** equal;
				let first = 0;
				for (let k = 1; k < pieces.length; k++) {
					const [from, to] = [pieces[k - 1] as number, pieces[k] as number];
					first += simpson(f, [from, f(from)], [to, f(to)], 1e-13);
				}
				const p = thompsonPropensities(some.means, some.sds);
				expect(
					Math.abs((p[0] as number) - first),
					`beside N(${mean}, ${sd}²)`,
				).toBeLessThan(2e-10);
				expect(Math.abs((p[1] as number) - (1 - first) / equal)).toBeLessThan(
					2e-10,
				);
			}
		});

	test(`are the shares of ${DRAWS} draws (χ², p ≥ 0.001)`, {
		timeout: 120_000,
	}, () => {
		const some = arms(
			6,
			(a) => [0.3, 0.2, 0.25, 0, 0.32, 0.32][a] as number,
			(a) => [0.1, 0.2, 0.02, 0.3, 0.05, 0.05][a] as number,
		);
		const p = thompsonPropensities(some.means, some.sds);
		const counts = new Float64Array(p.length);
		for (let i = 0; i < DRAWS; i++) {
			let best = 0;
			let top = Number.NEGATIVE_INFINITY;
			for (let a = 0; a < p.length; a++) {
				const score =
					(some.means[a] as number) + (some.sds[a] as number) * normal();
				if (score > top) {
					top = score;
					best = a;
				}
			}
			counts[best] = (counts[best] as number) + 1;
		}
		const statistic = p.reduce(
			(sum, share, a) =>
				sum + ((counts[a] as number) - share * DRAWS) ** 2 / (share * DRAWS),
			0,
		);
		expect(Math.min(...p) * DRAWS).toBeGreaterThan(5);
		expect(
			1 - jstat.chisquare.cdf(statistic, p.length - 1),
			`χ² = ${statistic}`,
		).toBeGreaterThanOrEqual(0.001);
	});
});
