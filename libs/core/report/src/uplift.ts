import {
	type Estimate,
	interval,
	type Measured,
	welchDegrees,
	withheld,
} from "./interval.js";

/** Policy minus control, in reward per learned decision, or why it cannot be said. */
export function absoluteLift(policy: Side, control: Side): Estimate {
	const missing = empty(policy) ?? empty(control);
	if (missing !== null) return withheld(missing);
	const estimate = Number(policy.mean) - Number(control.mean);
	const few = tooFew(policy, control);
	if (few !== null) return withheld(few, estimate);
	const [p, c] = [policy.measured as Measured, control.measured as Measured];
	return interval(estimate, p.variance + c.variance, welchDegrees(p, c));
}

/**
 * (policy − control) / |control|, with the delta method of a ratio of two independent means:
 * Var ≈ Var(p)/c² + Var(c)·p²/c⁴.
 */
export function relativeLift(policy: Side, control: Side): Estimate {
	const missing = empty(policy) ?? empty(control);
	if (missing !== null) return withheld(missing);
	const [mean, base] = [Number(policy.mean), Number(control.mean)];
	if (base === 0)
		return withheld("Control's mean is 0, so nothing can be relative to it.");
	const estimate = (mean - base) / Math.abs(base);
	const few = tooFew(policy, control);
	if (few !== null) return withheld(few, estimate);
	const [p, c] = [policy.measured as Measured, control.measured as Measured];
	const variance =
		p.variance / base ** 2 + (c.variance * mean ** 2) / base ** 4;
	return interval(estimate, variance, welchDegrees(p, c));
}

/** One side of a comparison. */
export interface Side {
	readonly group: "policy" | "control";
	/** Null where nothing was learned. */
	readonly mean: number | null;
	readonly units: number;
	/** Null with fewer than two units. */
	readonly measured: Measured | null;
}

function empty({ group, mean }: Side): string | null {
	return mean === null
		? `No decision of the ${group} group has been learned yet.`
		: null;
}

function tooFew(policy: Side, control: Side): string | null {
	for (const { group, measured, units } of [policy, control])
		if (measured === null)
			return `The ${group} group has ${units === 1 ? "one unit" : `${units} units`} with learned decisions; an interval needs two.`;
	if (policy.measured?.variance === 0 && control.measured?.variance === 0)
		return "All units of both groups earned the same per decision so far, so how much they vary cannot be told yet.";
	return null;
}
