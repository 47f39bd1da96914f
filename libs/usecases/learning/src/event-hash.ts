import { hash } from "node:crypto";
import { canonicalEvent, type Event } from "#core/log";

/** SHA-256 of the canonical content: tells a repeated event from another body under its id. */
export function eventHash(event: Event): Uint8Array {
	// By way of a text, so that the bytes come from Buffer's pool: each buffer of its own is one more for the collector.
	return Buffer.from(hash("sha256", canonicalEvent(event), "hex"), "hex");
}
