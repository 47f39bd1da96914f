import type { Packed } from "./packed.js";

/**
 * Packed lists by name: a name, what goes by it, the next name. Never changed but put in the place of another, so that copies share it.
 * Objects with names of every unit's own as keys were four times as dear to read, copy and write.
 */
export type Named = readonly (string | Packed)[];

export const NONE_NAMED: Named = [];

export const namesIn = (named: Named): string[] =>
	named.filter((_, i) => i % 2 === 0);

export function findNamed(named: Named, name: string): Packed | undefined {
	const i = placeOf(named, name);
	return i < 0 ? undefined : named[i + 1];
}

/** With another list by that name; null: without any. */
export function withNamed(
	named: Named,
	name: string,
	packed: Packed | null,
): Named {
	const i = placeOf(named, name);
	if (i < 0) return packed === null ? named : [...named, name, packed];
	const copy = named.slice();
	if (packed === null) copy.splice(i, 2);
	else copy[i + 1] = packed;
	return copy;
}

/** Where the name stands; below 0: nowhere. */
function placeOf(named: Named, name: string): number {
	for (let i = 0; i < named.length; i += 2) if (named[i] === name) return i;
	return -1;
}
