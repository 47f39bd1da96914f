import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { canonicalJson } from "#core/experiment";
import type { DecisionRequest } from "./request.js";

/** SHA-256 of all that a request says, hex: equal for two bodies if and only if they ask the same, in whatever order of keys. */
export function requestHash(request: DecisionRequest): string {
	return bytesToHex(sha256(utf8ToBytes(canonicalJson(request))));
}
