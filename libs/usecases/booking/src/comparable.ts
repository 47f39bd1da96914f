import { type StoredUnit, unpack } from "#core/booking";

/** Without the zeros at its end. */
export function trimmed(values: readonly bigint[]): string {
	let end = values.length;
	while (end > 0 && values[end - 1] === 0n) end -= 1;
	return values.slice(0, end).join(",");
}

/** A unit's row in one spelling: what order things came in, and which sessions are remembered, says nothing. */
export function comparable(entry: StoredUnit["entry"]): string {
	const sorted = <Value>(values: { readonly [key: string]: Value }) =>
		Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
	return JSON.stringify(
		sorted(entry).map(([side, { sessions: _, pruned: __, ...group }]) => [
			side,
			group.first,
			group.last,
			group.x,
			group.arm ?? null,
			byHour(group.hours),
			byName(group.slices),
		]),
	);
}

function byName(named: readonly string[]): readonly (readonly string[])[] {
	const pairs = named.flatMap((name, i) =>
		i % 2 === 0 ? [[name, named[i + 1] as string]] : [],
	);
	return pairs.sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
}

function byHour(packed: string): readonly (readonly number[])[] {
	const hours = unpack(packed);
	const pairs = hours.flatMap((hour, i) =>
		i % 2 === 0 ? [[hour, hours[i + 1] as number]] : [],
	);
	return pairs.sort(([a = 0], [b = 0]) => a - b);
}
