const UNITS: readonly (readonly [string, number])[] = [
	["d", 86_400_000],
	["h", 3_600_000],
	["m", 60_000],
	["s", 1_000],
	["ms", 1],
];

/** `30s`, `5m`, `12h`, `14d`, `1500ms`: whole numbers of one unit. */
export const DURATION = /^[1-9][0-9]{0,11}(ms|s|m|h|d)$/;

/** Milliseconds, or null where the text is no duration. */
export function parseDuration(text: string): number | null {
	if (!DURATION.test(text)) return null;
	const unit = UNITS.find(([name]) => text.replace(/[0-9]+/, "") === name);
	return unit ? Number.parseInt(text, 10) * unit[1] : null;
}

/** In the largest unit that leaves a whole number: 90,000 → `90s`. */
export function renderDuration(milliseconds: number): string {
	const [name, size] = UNITS.find(([, unit]) => milliseconds % unit === 0) ?? [
		"ms",
		1,
	];
	return `${milliseconds / size}${name}`;
}
