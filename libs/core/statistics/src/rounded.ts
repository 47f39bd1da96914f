/** Up, to two significant digits: what is only known about. */
export function roundedUp(value: number): number {
	const unit = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 1);
	return Math.ceil(value / unit) * unit;
}

/** In a sentence: three significant digits. */
export function inWords(value: number): string {
	return String(Number(value.toPrecision(3)));
}
