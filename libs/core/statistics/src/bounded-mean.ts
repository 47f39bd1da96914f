import { gammaExponentialBoundary } from "./gamma-exponential.js";
import { around, type Interval } from "./interval.js";
import { mixtureBoundary, mixtureRho } from "./normal-mixture.js";
import { requireAlpha, requirePositive } from "./require.js";

/**
 * Confidence sequences for the mean of observations from [0, 1], exact at any sample size: each function takes all observations so far, in
 * the order in which they came, and gives the interval now, within [0, 1]. It holds the (running average of the conditional) mean at all
 * times at once with probability 1 − α. The report's sequences are asymptotic; these are what to hold one against where it is doubted
 * (a reward of known range, few observations). All throw RangeError for an observation outside [0, 1] and an α outside (0, 1).
 */

/**
 * Hoeffding's variance bound ¼ per observation in the normal mixture: mean ± u(t/4)/t, narrowest near t_opt observations. Howard,
 * Ramdas, McAuliffe, Sekhon 2021, eq. (14) with Hoeffding's lemma.
 */
export function hoeffdingMixture(
	x: readonly number[],
	tOpt: number,
	alpha: number,
): Interval {
	const t = checked(x, alpha);
	requirePositive(tOpt, "t_opt");
	if (t === 0) return EVERYTHING;
	const u = mixtureBoundary(t / 4, mixtureRho(tOpt / 4, alpha), alpha);
	return within(around(meanOf(x), u / t));
}

/**
 * Empirical Bernstein: mean ± u(V)/t with V = Σ (x_i − x̄_{i−1})², x̄_0 = ½, and the gamma-exponential boundary u at α/2 on each side,
 * narrowest near V = v_opt. Howard et al. 2021, theorem 4 with proposition 9. Narrow where the observations vary little.
 */
export function empiricalBernsteinMixture(
	x: readonly number[],
	vOpt: number,
	alpha: number,
): Interval {
	const t = checked(x, alpha);
	const rho = mixtureRho(vOpt, alpha);
	if (t === 0) return EVERYTHING;
	let [sum, v] = [0, 0];
	x.forEach((value, i) => {
		v += (value - (i === 0 ? 0.5 : sum / i)) ** 2;
		sum += value;
	});
	return within(
		around(sum / t, gammaExponentialBoundary(v, rho, alpha / 2) / t),
	);
}

/**
 * Predictable plug-in Hoeffding: Σλx/Σλ ± (log(2/α) + Σλ²/8)/Σλ, λ_t = min(1, √(8 log(2/α) / (t log(t+1)))). Waudby-Smith & Ramdas 2024,
 * "Estimating means of bounded random variables by betting", proposition 1.
 */
export function predictableHoeffding(
	x: readonly number[],
	alpha: number,
): Interval {
	checked(x, alpha);
	const cost = Math.log(2 / alpha);
	let [weight, sum, penalty] = [0, 0, cost];
	x.forEach((value, i) => {
		const t = i + 1;
		const lambda = Math.min(1, Math.sqrt((8 * cost) / (t * Math.log1p(t))));
		weight += lambda;
		sum += lambda * value;
		penalty += lambda ** 2 / 8;
	});
	if (weight === 0) return EVERYTHING;
	return within(around(sum / weight, penalty / weight));
}

/**
 * Predictable plug-in empirical Bernstein, with λ_t of `predictableBets` cut at ½ and ψ(λ) = −log(1 − λ) − λ:
 * lower end (Σλx − log(2/α) − Σψ(λ)(x_i − x̄_{i−1})²)/Σλ, x̄_0 = 0; the upper end mirrors it. Waudby-Smith & Ramdas 2024, theorem 2.
 */
export function predictableEmpiricalBernstein(
	x: readonly number[],
	alpha: number,
): Interval {
	checked(x, alpha);
	return within({
		low: bernsteinLowerEnd(x, alpha),
		high: 1 - bernsteinLowerEnd(mirrored(x), alpha),
	});
}

function bernsteinLowerEnd(x: readonly number[], alpha: number): number {
	const bets = predictableBets(x, alpha);
	let [weight, weighted, penalty, sum] = [0, 0, Math.log(2 / alpha), 0];
	x.forEach((value, i) => {
		const lambda = Math.min(0.5, bets[i] as number);
		const expected = i === 0 ? 0 : sum / i;
		weight += lambda;
		weighted += lambda * value;
		penalty += (-Math.log1p(-lambda) - lambda) * (value - expected) ** 2;
		sum += value;
	});
	return weight === 0 ? 0 : (weighted - penalty) / weight;
}

/**
 * λ_t = √(2 log(2/α) / (σ̂²_{t−1} t log(1+t))), which knows the observations before t alone; σ̂²_t = (¼ + Σ (x_i − μ̂_i)²)/(t + 1),
 * μ̂_t = (½ + Σ x_i)/(t + 1). Waudby-Smith & Ramdas 2024, eq. (15). One λ an observation, > 0, unbounded.
 */
export function predictableBets(
	x: readonly number[],
	alpha: number,
): Float64Array {
	const bets = new Float64Array(x.length);
	let [sum, squares, variance] = [0.5, 0.25, 0.25];
	x.forEach((value, i) => {
		const t = i + 1;
		bets[i] = Math.sqrt(
			(2 * Math.log(2 / alpha)) / (variance * t * Math.log1p(t)),
		);
		sum += value;
		squares += (value - sum / (t + 1)) ** 2;
		variance = squares / (t + 1);
	});
	return bets;
}

export const EVERYTHING: Interval = { low: 0, high: 1 };

/** How many observations there are, once each is one. */
export function checked(x: readonly number[], alpha: number): number {
	requireAlpha(alpha);
	for (const value of x)
		if (!(value >= 0 && value <= 1))
			throw new RangeError(
				`Bounded observations lie in [0, 1]; one is ${value}. Subtract the least and divide by the range first.`,
			);
	return x.length;
}

function within({ low, high }: Interval): Interval {
	return { low: Math.max(0, low), high: Math.min(1, high) };
}

function mirrored(x: readonly number[]): number[] {
	return x.map((value) => 1 - value);
}

function meanOf(x: readonly number[]): number {
	return x.reduce((sum, value) => sum + value, 0) / x.length;
}
