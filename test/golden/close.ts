import { expect } from "vitest";

/** Within 1e-9, relative where the number is beyond 1: the tolerance of the golden data. */
export function expectClose(
	got: number | null | undefined,
	want: number,
	what: string,
	tolerance = 1e-9,
): void {
	const gap = Math.abs(Number(got ?? Number.NaN) - want);
	expect(
		gap <= tolerance * Math.max(1, Math.abs(want)),
		`${what}: ${got} is not ${want}`,
	).toBe(true);
}

export function expectAllClose(
	got: ArrayLike<number | null>,
	want: ArrayLike<number>,
	what: string,
	tolerance?: number,
): void {
	expect(got.length, what).toBe(want.length);
	for (let i = 0; i < want.length; i++)
		expectClose(got[i], want[i] as number, `${what}[${i}]`, tolerance);
}

/** A p-value as the golden data say it: below 1e-12 it is compared as "below 1e-12". */
export function expectP(
	got: number | null | undefined,
	want: number,
	what: string,
): void {
	if (want >= 1e-12) expectClose(got, want, what);
	else expect(got, what).toBeLessThan(1e-12);
}
