import { DECISION_ID } from "#core/experiment";

/** Largest time a UUIDv7 holds: 48 bits of milliseconds. */
const MOST_MS = 2 ** 48 - 1;

/** True for a UUIDv7 in lower case. */
export function isDecisionId(text: string): boolean {
	return DECISION_ID.test(text);
}

/** Milliseconds since the epoch of a UUIDv7: its first 48 bits (RFC 9562, section 5.7). */
export function timeOfId(id: string): number {
	return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** The smallest UUIDv7 of a millisecond: every id minted then or later is not below it. */
export function uuidAtTime(milliseconds: number): string {
	const bounded = Math.min(MOST_MS, Math.max(0, Math.floor(milliseconds)));
	const hex = bounded.toString(16).padStart(12, "0");
	return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
