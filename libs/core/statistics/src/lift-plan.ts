/** What is fixed before an experiment starts, so that its sequence of intervals is narrowest about where it is meant to be read. */
export interface PlannedSize {
	/** Standard deviation of a unit's ratio, in the metric's unit. */
	readonly spread: number;
	/** Units of both groups together. */
	readonly units: number;
	/** Share of them in control, in (0, 1). */
	readonly control: number;
}

/** The spread of a rate p: √(p(1 − p)), that of single yes-or-no decisions. */
export function rateSpread(p: number): number {
	return Math.sqrt(p * (1 - p));
}

/** The planner's SE of a difference at the planned size: spread · √(1/(N(1 − control)) + 1/(N·control)). */
export function plannedStandardError({
	spread,
	units,
	control,
}: PlannedSize): number {
	return (
		spread * Math.sqrt(1 / (units * (1 - control)) + 1 / (units * control))
	);
}

/** The mixture's width over the planner's SE: at the planned size m = 2.82², where it is narrowest against a fixed-horizon interval for α = 0.05. */
const TAU_PER_SE = 2.82;

/** τ of the mixture, in the metric's unit, from the planner's SE. */
export function mixtureScale(standardError: number): number {
	return TAU_PER_SE * standardError;
}
