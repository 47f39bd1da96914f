const INVERSE_ROOT_TWO_PI = 0.3989422804014327;

/** φ(z) = e^(−z²/2) / √(2π). */
export function normalDensity(z: number): number {
	return Math.exp(-0.5 * z * z) * INVERSE_ROOT_TWO_PI;
}

/**
 * Φ(z), slowly, to rounding: relative error below 1e-14 for z ≥ −8, and in the upper tail 1 − Φ to the last bit of 1.
 * |z| < 1.5: Φ(z) = ½ + φ(z) (z + z³/3 + z⁵/(3·5) + …), whose terms all have one sign (Abramowitz & Stegun 26.2.11);
 * beyond: the tail is φ(z) / (z + 1/(z + 2/(z + 3/(z + …)))) (26.2.14). Only + − × ÷ and Math.exp, which V8 carries itself (fdlibm).
 */
export function normalCdfBySeries(z: number): number {
	if (z <= -1.5) return upperTail(-z);
	return z < 1.5 ? 0.5 + aboveHalf(z) : 1 - upperTail(z);
}

function aboveHalf(z: number): number {
	let term = z;
	let sum = z;
	for (let n = 3; sum + term !== sum; n += 2) {
		term *= (z * z) / n;
		sum += term;
	}
	return normalDensity(z) * sum;
}

/** n levels leave about e^(−2z√n): from z = 1.5 on 200 are enough. */
function upperTail(z: number): number {
	let fraction = z;
	for (let n = 200; n > 0; n--) fraction = z + n / fraction;
	return normalDensity(z) / fraction;
}
