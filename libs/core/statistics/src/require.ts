/** α, the error probability of an interval or a test: strictly between 0 and 1. */
export function requireAlpha(alpha: number): void {
	if (!(alpha > 0 && alpha < 1))
		throw new RangeError(`α must lie between 0 and 1; it is ${alpha}.`);
}

export function requirePositive(value: number, what: string): void {
	if (!(value > 0 && value < Number.POSITIVE_INFINITY))
		throw new RangeError(
			`${what} must be positive and finite; it is ${value}.`,
		);
}

export function requireNotNegative(value: number, what: string): void {
	if (!(value >= 0 && value < Number.POSITIVE_INFINITY))
		throw new RangeError(
			`${what} must be at least 0 and finite; it is ${value}.`,
		);
}

export function requireFinite(value: number, what: string): void {
	if (!Number.isFinite(value))
		throw new RangeError(`${what} must be a finite number; it is ${value}.`);
}
