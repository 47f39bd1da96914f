/** Where row block I begins, of `base`: 16 (1 + … + I) entries before it. */
export function rowBlock(base: usize, I: i32): usize {
	return base + ((<usize>I * (I + 1)) << 6);
}

/** sum − l·k. */
export function minus(sum: v128, l: v128, k: v128): v128 {
	return f64x2.sub(sum, f64x2.mul(l, k));
}

/** sum + l·n. */
export function plus(sum: v128, l: v128, n: v128): v128 {
	return f64x2.add(sum, f64x2.mul(l, n));
}
