/** A number in a sentence: three significant digits, no exponent where it can be helped. */
export function said(value: number): string {
	return String(Number(value.toPrecision(3)));
}
