/** A stream of numbers in [0, 1). */
export type Random = () => number;

/**
 * The same numbers for the same seed, on every machine: mulberry32 (T. Ettinger), started from an FNV-1a hash of the seed.
 * For simulated listeners only; decisions draw from their own ids.
 */
export function seededRandom(seed: string): Random {
	let state = 2166136261;
	for (const byte of new TextEncoder().encode(seed))
		state = Math.imul(state ^ byte, 16777619);
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** One of the names, each with its weight; weights need not sum to 1. */
export function pick<T extends string>(
	weights: Readonly<Record<T, number>>,
	random: Random,
): T {
	const names = Object.keys(weights) as T[];
	let rest = random() * names.reduce((sum, name) => sum + weights[name], 0);
	for (const name of names) {
		rest -= weights[name];
		if (rest < 0) return name;
	}
	return names[names.length - 1]!;
}

/** A Poisson count by inversion, at most `max`. */
export function poisson(mean: number, max: number, random: Random): number {
	let count = 0;
	let term = Math.exp(-mean);
	let rest = random() - term;
	while (rest >= 0 && count < max) {
		count += 1;
		term *= mean / count;
		rest -= term;
	}
	return count;
}

/** `size` different items in random order (all of them where there are fewer). */
export function sample<T>(
	items: readonly T[],
	size: number,
	random: Random,
): T[] {
	const chosen = new Map<number, number>();
	const taken: T[] = [];
	for (let i = 0; i < Math.min(size, items.length); i += 1) {
		// Fisher–Yates over a sparse copy: position j holds chosen.get(j), else itself.
		const j = i + Math.floor(random() * (items.length - i));
		taken.push(items[chosen.get(j) ?? j]!);
		chosen.set(j, chosen.get(i) ?? i);
	}
	return taken;
}
