import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../../test/support/random.js";
import {
	mixtureBoundary,
	mixtureP,
	mixtureRho,
	oneSidedMixtureBound,
	oneSidedMixtureBoundary,
	oneSidedMixtureP,
} from "./index.js";

const seed = Number(process.env.SEED ?? 20261126);
const clock = fc.double({ min: 1e-3, max: 1e9, noNaN: true });
const alphas = fc.double({ min: 1e-6, max: 0.5, noNaN: true });

describe(`normal mixture boundaries (SEED=${seed})`, () => {
	it("are where the always-valid p-value is α, on either side and on one", () => {
		fc.assert(
			fc.property(clock, clock, alphas, (v, rho, alpha) => {
				const u = mixtureBoundary(v, rho, alpha);
				expect(mixtureP(u, v, rho) / alpha).toBeCloseTo(1, 8);
				expect(mixtureP(-u, v, rho) / alpha).toBeCloseTo(1, 8);
				const one = oneSidedMixtureBoundary(v, rho, alpha);
				expect(oneSidedMixtureP(one, v, rho) / alpha).toBeCloseTo(1, 8);
				expect(oneSidedMixtureP(-one, v, rho)).toBe(1);
			}),
			{ seed },
		);
	});

	it("lie in order: two-sided at 2α, one-sided at α, its closed form, two-sided at α beside the one-sided", () => {
		fc.assert(
			fc.property(clock, clock, alphas, (v, rho, alpha) => {
				const exact = oneSidedMixtureBoundary(v, rho, alpha);
				const slack = 1 + 1e-12;
				expect(
					mixtureBoundary(v, rho, Math.min(2 * alpha, 0.999)),
				).toBeLessThan(alpha < 0.49 ? exact * slack : Number.POSITIVE_INFINITY);
				expect(exact).toBeLessThan(oneSidedMixtureBound(v, rho, alpha) * slack);
				expect(exact).toBeLessThan(mixtureBoundary(v, rho, alpha) * slack);
			}),
			{ seed },
		);
	});

	it("scale with the unit of S", () => {
		fc.assert(
			fc.property(clock, clock, alphas, (v, rho, alpha) => {
				for (const u of [mixtureBoundary, oneSidedMixtureBoundary])
					expect(u(100 * v, 100 * rho, alpha) / u(v, rho, alpha)).toBeCloseTo(
						10,
						9,
					);
			}),
			{ seed },
		);
	});

	it("give intervals that become narrower as the clock goes on", () => {
		fc.assert(
			fc.property(clock, clock, alphas, (v, rho, alpha) => {
				for (const u of [mixtureBoundary, oneSidedMixtureBoundary])
					expect(u(1.01 * v, rho, alpha) / (1.01 * v)).toBeLessThan(
						u(v, rho, alpha) / v,
					);
			}),
			{ seed },
		);
	});

	it("are nowhere much narrower at v_opt than with the ρ that was tuned for it", () => {
		for (const alpha of [0.001, 0.05, 0.2]) {
			const tuned = mixtureBoundary(1_000, mixtureRho(1_000, alpha), alpha);
			for (let rho = 1; rho < 1e6; rho *= 1.1)
				expect(tuned).toBeLessThan(1.001 * mixtureBoundary(1_000, rho, alpha));
		}
	});

	it("are crossed by no more than α of random walks that are looked at after every step", () => {
		const [walks, steps, alpha] = [2_000, 1_000, 0.1];
		const random = seededRandom(seed);
		const step = () =>
			Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
		const rho = mixtureRho(100, alpha);
		const us = Array.from({ length: steps }, (_, i) => [
			mixtureBoundary(i + 1, rho, alpha),
			oneSidedMixtureBoundary(i + 1, rho, alpha),
		]);
		let [crossed, above] = [0, 0];
		for (let walk = 0; walk < walks; walk++) {
			let s = 0;
			let [everOut, everAbove] = [false, false];
			for (const [u, one] of us) {
				s += step();
				everOut ||= Math.abs(s) >= (u as number);
				everAbove ||= s >= (one as number);
			}
			crossed += Number(everOut);
			above += Number(everAbove);
		}
		const most = walks * alpha + 2 * Math.sqrt(walks * alpha * (1 - alpha));
		expect(crossed).toBeLessThanOrEqual(most);
		expect(above).toBeLessThanOrEqual(most);
		// Nor is half of α thrown away.
		expect(crossed).toBeGreaterThan(0.3 * alpha * walks);
		expect(above).toBeGreaterThan(0.3 * alpha * walks);
	});

	it("are refused for an α, a clock or a ρ that cannot be", () => {
		expect(() => mixtureBoundary(1, 1, 0)).toThrow(
			"α must lie between 0 and 1",
		);
		expect(() => oneSidedMixtureBoundary(1, 1, 1)).toThrow("α must lie");
		expect(() => mixtureBoundary(-1, 1, 0.05)).toThrow(
			"The clock v must be at least 0",
		);
		expect(() => mixtureP(1, 1, 0)).toThrow("ρ must be positive");
		expect(() => mixtureP(Number.NaN, 1, 1)).toThrow(
			"S must be a finite number",
		);
		expect(() => mixtureRho(0, 0.05)).toThrow("v_opt must be positive");
	});
});
