import { expect, it } from "vitest";
import { KeyHash } from "./key-hash.js";

const hash = (key: number, ...parts: [string, string?, string?]) => {
	const one = new KeyHash(Int32Array.of(key, 2, 3, 4));
	one.of(...parts);
	return `${one.high} ${one.low}`;
};

it("keys differ wherever a part, a border between parts, or the hash's own key does", () => {
	const long = "x".repeat(2_000);
	const keys = [
		hash(1, "listener"),
		hash(2, "listener"),
		hash(1, "listener", ""),
		hash(1, "listen", "er"),
		hash(1, "liste", "ner"),
		hash(1, "liste", "n", "er"),
		hash(1, "zuhörer"),
		hash(1, "zuh", "rer"),
		hash(1, "聴者"),
		hash(1, "聴", "者"),
		hash(1, long),
		hash(1, `${long}x`),
		hash(1, long, long),
	];
	expect(new Set(keys).size).toBe(keys.length);
	expect(hash(1, "聴者")).toBe(hash(1, "聴者"));
});
