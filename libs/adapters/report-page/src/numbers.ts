/** Numbers as people read them. */

/** Four significant digits, thin spaces in thousands, a true minus; a dash where there is none. */
export function number(value: number | null): string {
	if (value === null) return "–";
	const rounded = Number(value.toPrecision(4));
	return rounded
		.toLocaleString("en-US", { maximumFractionDigits: 6 })
		.replaceAll(",", "\u202f")
		.replace("-", "\u2212");
}

export function signed(value: number | null): string {
	return value !== null && value > 0 ? `+${number(value)}` : number(value);
}

export function percent(share: number | null): string {
	if (share === null) return "–";
	return `${number(Number((100 * share).toPrecision(3)))} %`;
}

/** ISO 8601 to the minute, UTC. */
export function instant(at: number | null): string {
	if (at === null) return "–";
	return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** A p-value; what is smaller than 0.0001 is said to be. */
export function probability(p: number | null): string {
	if (p === null) return "–";
	return p < 1e-4 ? "< 0.0001" : number(p);
}
