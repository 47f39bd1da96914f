import { hash } from "node:crypto";
import { canonicalEvent, type Event } from "#core/log";

/** SHA-256 of the canonical content: tells a repeated event from another body under its id. */
export function eventHash(event: Event): Uint8Array {
	return hash("sha256", canonicalEvent(event), "buffer");
}
