import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom, shuffled } from "../../../../test/support/random.js";
import { thompsonPropensities, thompsonSlices } from "./thompson.js";

const of = (...values: number[]) => Float64Array.from(values);
const sum = (values: Float64Array) =>
	values.reduce((total, value) => total + value, 0);
const seed = Number(process.env.SEED ?? 20251216);

/** K arms as a policy meets them: some never tried, others at σ from 1 to 10,000. */
function mixed(size: number, random: () => number) {
	const means = new Float64Array(size);
	const sds = new Float64Array(size);
	for (let a = 0; a < size; a++) {
		const cold = random() < 0.2;
		means[a] = cold ? 0 : random() - 0.3;
		sds[a] = cold ? 0.5 : 10 ** (-4 * random());
	}
	return { means, sds };
}

describe("Thompson sampling", () => {
	test("gives a single arm everything", () => {
		expect([...thompsonPropensities(of(-3), of(2))]).toEqual([1]);
		expect([...thompsonPropensities(of(-3), of(0))]).toEqual([1]);
		expect([...thompsonPropensities(of(5e-324), of(5e-324))]).toEqual([1]);
	});

	test("gives equal arms the same share, to the last bit and 1/K within 1e-15, for K up to 1,000", () => {
		for (let size = 1; size <= 1_000; size += size < 20 ? 1 : 49) {
			const p = thompsonPropensities(
				new Float64Array(size).fill(0.7),
				new Float64Array(size).fill(0.3),
			);
			expect(new Set(p).size).toBe(1);
			expect(Math.abs((p[0] as number) - 1 / size)).toBeLessThan(1e-15);
		}
	});

	test("gives cold arms among others the same share, wherever they stand", () => {
		const means = of(0, 0.4, 0, 0.1, 0, 0.3, 0);
		const sds = of(0.5, 0.1, 0.5, 0.2, 0.5, 0.01, 0.5);
		const p = thompsonPropensities(means, sds);
		expect(p[0]).toBeGreaterThan(0.05);
		expect(new Set([p[0], p[2], p[4], p[6]]).size).toBe(1);
	});

	test(`follows the arms into any order, bit for bit (SEED=${seed})`, () => {
		const random = seededRandom(seed);
		for (const size of [2, 3, 7, 20, 60, 300]) {
			const { means, sds } = mixed(size, random);
			if (size > 5) sds[3] = 0;
			const p = thompsonPropensities(means, sds);
			for (let i = 0; i < 5; i++) {
				const order = shuffled([...p.keys()], random);
				const moved = thompsonPropensities(
					Float64Array.from(order, (a) => means[a] as number),
					Float64Array.from(order, (a) => sds[a] as number),
				);
				expect(moved).toEqual(Float64Array.from(order, (a) => p[a] as number));
			}
		}
	});

	test("leaves nothing to arms that are far below, and all to one far above", () => {
		expect([...thompsonPropensities(of(0, 1, 1e6), of(1, 1, 1))]).toEqual([
			0, 0, 1,
		]);
		const [hopeless, ...rest] = thompsonPropensities(
			of(-20, 0.2, 0.2),
			of(1, 0.1, 0.1),
		);
		expect(hopeless).toBe(0);
		expect(rest).toEqual([0.5, 0.5]);
	});

	test("keeps Σ p = 1 within 1e-12 and every p within [0, 1], whatever the numbers", () => {
		const number = fc.oneof(
			fc.constantFrom(0, 1, -1, 1e-9, 1e308, -1e308, 5e-324, 1e-300, 1e150),
			fc.double({ min: -10, max: 10, noNaN: true }),
			fc.double({ noNaN: true, noDefaultInfinity: true }),
		);
		const arm = fc.tuple(
			number,
			fc.oneof(
				fc.constantFrom(0, 1e-5, 5e-324, Number.MAX_VALUE),
				number.map(Math.abs),
			),
		);
		fc.assert(
			fc.property(fc.array(arm, { minLength: 1, maxLength: 40 }), (some) => {
				const p = thompsonPropensities(
					Float64Array.from(some, ([mean]) => mean),
					Float64Array.from(some, ([, sd]) => sd),
				);
				for (const share of p) {
					expect(share).toBeGreaterThanOrEqual(0);
					expect(share).toBeLessThanOrEqual(1 + 1e-12);
				}
				expect(Math.abs(sum(p) - 1)).toBeLessThanOrEqual(1e-12);
			}),
			{ numRuns: 2_000 },
		);
	});

	test("depends on no unit: numbers times a power of two give the same bits, as far as float64 reaches", () => {
		const means = of(0.25, 0.5, -0.125, 0.5);
		const sds = of(0.5, 0.25, 0.75, 0.0625);
		const p = thompsonPropensities(means, sds);
		for (const exponent of [-1_060, -600, -30, 30, 600, 1_020])
			expect(
				thompsonPropensities(
					means.map((mean) => mean * 2 ** exponent),
					sds.map((sd) => sd * 2 ** exponent),
				),
				`2^${exponent}`,
			).toEqual(p);
	});

	test("does not lose itself among a thousand σ, each a little wider than the last", () => {
		const sds = Float64Array.from(
			{ length: 1_000 },
			(_, a) => 1e-12 * 1.06 ** a,
		);
		const p = thompsonPropensities(
			sds.map((sd) => -sd),
			sds,
		);
		expect(Math.abs(sum(p) - 1)).toBeLessThanOrEqual(1e-12);
		expect(p[999]).toBeGreaterThan(0.02);
	});

	test("moves on where the narrowest σ is nothing beside where it stands", () => {
		// The second arm still races at −7, where the next number is 9e-16 away and its σ a tenth of that.
		const p = thompsonPropensities(of(0, -7 + 2 ** -50), of(1, 7e-17));
		expect(p[0]).toBeGreaterThan(1 - 1e-11);
	});

	test("refuses no arms, unequal lengths, numbers that are not finite and a σ below 0, naming the arm", () => {
		expect(() => thompsonPropensities(of(), of())).toThrow(/at least one arm/);
		expect(() => thompsonPropensities(of(1, 2), of(1))).toThrow(/2 and 1/);
		for (const [mean, sd] of [
			[Number.NaN, 1],
			[Number.POSITIVE_INFINITY, 1],
			[0, Number.NaN],
			[0, Number.POSITIVE_INFINITY],
			[0, -1e-300],
		] as const)
			expect(() => thompsonPropensities(of(0, mean), of(1, sd))).toThrow(
				/arm 1 has mean/,
			);
	});
});

describe("arms with σ = 0", () => {
	test("are a plain contest of means among themselves: the best wins, and those within 1e-9 of it tie", () => {
		const p = thompsonPropensities(
			of(0.2, 0.5, 0.5 - 9e-10, 0.4),
			of(0, 0, 0, 0),
		);
		expect([...p]).toEqual([0, 0.5, 0.5, 0]);
	});

	test("win where no other arm exceeds the best of them", () => {
		// Φ(−1) and Φ(1) for the arm; the second point never counts.
		const p = thompsonPropensities(of(0, 1, 0.5), of(1, 0, 0));
		expect(Math.abs((p[0] as number) - 0.15865525393145705)).toBeLessThan(
			1e-11,
		);
		expect(Math.abs((p[1] as number) - 0.8413447460685429)).toBeLessThan(1e-11);
		expect(p[2]).toBe(0);
	});

	test("tie for what they win together", () => {
		const p = thompsonPropensities(of(1, 0, 1), of(0, 1, 0));
		expect(p[0]).toBe(p[2]);
		expect(Math.abs((p[0] as number) - 0.8413447460685429 / 2)).toBeLessThan(
			1e-11,
		);
	});

	test("win nothing surely below another arm, and everything surely above", () => {
		expect([...thompsonPropensities(of(0, 10), of(0, 1))]).toEqual([0, 1]);
		expect([...thompsonPropensities(of(10, 0), of(0, 1))]).toEqual([1, 0]);
	});

	test("are the limit of a σ that shrinks", () => {
		const limit = thompsonPropensities(of(0.3, 0.2, 0.1), of(0, 0.2, 0.4));
		for (const sd of [1e-12, 1e-60, 1e-300, 5e-324]) {
			const p = thompsonPropensities(of(0.3, 0.2, 0.1), of(sd, 0.2, 0.4));
			p.forEach((share, a) => {
				expect(Math.abs(share - (limit[a] as number))).toBeLessThan(1e-11);
			});
		}
	});
});

describe("the same in slices", () => {
	const random = seededRandom(seed);

	test("is equal to the last bit, however thin the slices", () => {
		for (const size of [1, 2, 20, 400]) {
			const { means, sds } = mixed(size, random);
			const whole = thompsonPropensities(means, sds);
			for (const panels of [1, 3, undefined]) {
				const slices = thompsonSlices(means, sds, panels);
				let step = slices.next();
				while (!step.done) step = slices.next();
				expect(step.value).toEqual(whole);
			}
		}
	});

	test("holds two decisions under way at once apart", () => {
		const some = [mixed(50, random), mixed(50, random)];
		const open = some.map(({ means, sds }) => thompsonSlices(means, sds, 1));
		const done: Float64Array[] = [];
		let turns = 0;
		while (done.filter(Boolean).length < 2) {
			open.forEach((slices, i) => {
				const step = slices.next();
				if (step.done && !done[i]) done[i] = step.value;
			});
			turns++;
		}
		expect(turns).toBeGreaterThan(3);
		expect(done).toEqual(
			some.map(({ means, sds }) => thompsonPropensities(means, sds)),
		);
	});

	test("does 20 arms at once and a thousand in several", () => {
		const slices = (size: number) => {
			const { means, sds } = mixed(size, seededRandom(1));
			return [...thompsonSlices(means, sds)].length;
		};
		expect(slices(20)).toBe(0);
		expect(slices(1_000)).toBeGreaterThan(2);
	});
});
