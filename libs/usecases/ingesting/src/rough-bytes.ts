import type { DecisionRow, Event } from "#core/log";

/** A UTF-16 unit of JSON takes at most 6 bytes, as \u0001; one of readable text at most 3. */
const UNIT_BYTES = 6;
const READABLE_UNIT_BYTES = 3;
const LEAF_BYTES = 40;

/**
 * Size of a row's JSON: near enough to fill messages well where values are small, never much too low where text is long, so that a
 * row too large for any message travels, and is refused, alone.
 */
export function roughBytesOfRow(row: DecisionRow): number {
	let bytes = 900 + 6 * row.x.length + LEAF_BYTES * row.eligible.length;
	for (const name in row.context) {
		const value = row.context[name];
		bytes += LEAF_BYTES;
		if (typeof value === "string") bytes += UNIT_BYTES * value.length;
		else if (Array.isArray(value)) bytes += 20 * value.length;
	}
	for (const arm in row.excluded)
		bytes += roughText(arm) + roughText(row.excluded[arm]);
	for (const name of row.missing) bytes += roughText(name);
	return (
		bytes +
		roughText(row.unit) +
		roughText(row.session) +
		roughText(row.requestId) +
		roughJson(row.consent) +
		roughJson(row.extra)
	);
}

export function roughBytesOfEvent(event: Event): number {
	return (
		256 +
		roughText(event.id) +
		roughText(event.unit) +
		roughText(event.session) +
		roughText(event.item) +
		roughJson(event.properties)
	);
}

function roughText(text: string | null | undefined): number {
	return 4 + READABLE_UNIT_BYTES * (text?.length ?? 0);
}

function roughJson(value: unknown): number {
	return value === undefined || value === null
		? 0
		: 2 * JSON.stringify(value).length;
}
