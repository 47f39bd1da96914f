/** Ends of an interval or of a confidence sequence at one time, in the unit of what is estimated. */
export interface Interval {
	readonly low: number;
	readonly high: number;
}

export function around(centre: number, halfWidth: number): Interval {
	return { low: centre - halfWidth, high: centre + halfWidth };
}
