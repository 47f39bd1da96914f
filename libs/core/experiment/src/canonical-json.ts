import { isPlainObject } from "./json-guard.js";

/** JSON with the keys of objects sorted, since their order means nothing: equal for two values if and only if they mean the same. */
export function canonicalJson(value: unknown): string {
	return JSON.stringify(value, (_, item: unknown) =>
		isPlainObject(item)
			? Object.fromEntries(
					Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)),
				)
			: item,
	);
}
