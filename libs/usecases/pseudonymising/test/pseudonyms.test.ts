import { describe, expect, it } from "vitest";
import {
	FormerNames,
	missingKey,
	otherSecret,
	Pseudonyms,
	readByAnyName,
	type UnitKey,
} from "../src/index.js";

const key = (id: string, from: number, byte: number): UnitKey => ({
	id,
	from,
	secret: new Uint8Array(32).fill(byte),
});
const always = key("a1", Number.NEGATIVE_INFINITY, 1);
const later = key("b2", 1_000, 2);

describe("a pseudonym", () => {
	const names = new Pseudonyms([later, always]);

	it("is made of HMAC-SHA-256 and stays what it is from release to release", () => {
		// printf listener-7 | openssl dgst -sha256 -mac HMAC -macopt hexkey:0101…01, its first 16 bytes in base64url
		expect(names.at("listener-7", 0)).toBe("~a1.oGYb04WlfVZQOn73YkQyMw");
	});

	it("is made with the key of the instant, and the former ones are known", () => {
		const [first, second] = [names.at("u", 999), names.at("u", 1_000)];
		expect([first.slice(0, 4), second.slice(0, 4)]).toEqual(["~a1.", "~b2."]);
		expect(names.upTo("u", 999)).toEqual([first]);
		expect(names.upTo("u", 1_000)).toEqual([second, first]);
		expect(names.all("u")).toEqual([second, first, "u"]);
		expect([names.since(999), names.since(1_000)]).toEqual([
			Number.NEGATIVE_INFINITY,
			1_000,
		]);
		expect([names.areRenamed(999), names.areRenamed(1_000)]).toEqual([
			false,
			true,
		]);
	});

	it("is what names a unit rightly from the first key's instant on", () => {
		const begun = new Pseudonyms([later]);
		const name = begun.at("u", 1_000);
		expect(begun.isNamed("u", 999)).toBe(true);
		expect(begun.isNamed("u", 1_000)).toBe(false);
		expect(begun.isNamed(name, 1_000)).toBe(true);
		expect(names.isNamed("u", 0)).toBe(false);
	});

	it("is not made before the first key, where that has an instant: what was kept until then goes by the client's name", () => {
		const begun = new Pseudonyms([later]);
		expect(begun.at("u", 999)).toBe("u");
		expect(begun.upTo("u", 1_000)).toEqual([begun.at("u", 1_000), "u"]);
		expect(begun.all("u")).toEqual([begun.at("u", 1_000), "u"]);
	});

	it("stays as it is where it comes again, and one of a key that nobody has is named as any other unit", () => {
		const name = names.at("u", 0);
		expect(names.at(name, 2_000)).toBe(name);
		expect(names.all(name)).toEqual([name]);
		const strange = name.replace("~a1.", "~zz.");
		expect(names.at(strange, 0)).toMatch(/^~a1\./);
		expect([names.isPseudonym(name), names.isPseudonym(strange)]).toEqual([
			true,
			false,
		]);
	});

	it("is not given to what is no unit, so that it is refused for what it is", () => {
		for (const bad of ["", "a\nb", "x".repeat(257)])
			expect(names.at(bad, 0)).toBe(bad);
	});

	it("differs from every other of 100,000 units", () => {
		const made = Array.from({ length: 100_000 }, (_, i) => names.at(`${i}`, 0));
		expect(new Set(made).size).toBe(made.length);
	});
});

describe("a process that has not the keys of its installation", () => {
	it("is told which key it lacks", () => {
		const named = new Pseudonyms([always]).at("u", 0);
		const sentence = 'Units are named by the key "a1", which SEGUE_UNIT_KEY';
		expect(missingKey(named, null)).toContain(sentence);
		expect(missingKey(named, new Pseudonyms([later]))).toContain(sentence);
		expect(missingKey(named, new Pseudonyms([later, always]))).toBeNull();
		expect(missingKey("u", null)).toBeNull();
		expect(missingKey(null, new Pseudonyms([later]))).toBeNull();
	});

	it("is told which key has another secret here, whatever the instants", () => {
		const kept = new Pseudonyms([always, later]).fingerprints();
		const secretIs = (...keys: UnitKey[]) =>
			otherSecret(new Pseudonyms(keys), kept);
		expect(secretIs(always, later)).toBeNull();
		expect(secretIs(key("a1", 5, 1))).toBeNull();
		expect(secretIs(always, key("b2", 1_000, 3))).toMatch(
			/^The key "b2" of SEGUE_UNIT_KEY has another secret here/,
		);
		expect(secretIs(always, key("c3", 1_000, 3))).toBeNull();
		expect(otherSecret(null, kept)).toBeNull();
	});

	it("learns nothing of a secret from its fingerprint, nor any unit's name", () => {
		const names = new Pseudonyms([always]);
		const [fingerprint] = [...names.fingerprints().values()];
		expect(fingerprint).toHaveLength(32);
		const begin = Buffer.from(fingerprint as Uint8Array).subarray(0, 16);
		expect(names.at("segue unit key", 0)).not.toContain(
			begin.toString("base64url"),
		);
		expect(names.at("segue unit key\n", 0)).toBe("segue unit key\n");
	});
});

describe("what is kept under a former name", () => {
	const kept = new Map([
		["old", 1],
		["both", 2],
		["now", 3],
	]);
	const asked: (readonly string[])[] = [];
	const store = {
		async read(units: readonly string[]) {
			asked.push(units);
			return new Map([...kept].filter(([unit]) => units.includes(unit)));
		},
	};

	it("is found where there is nothing under the present one, and asked for only then", async () => {
		const names = new FormerNames();
		names.remember(["now", "both"]);
		names.remember(["moved", "older", "old"]);
		names.remember(["nothing", "none"]);
		names.remember(["single"]);
		const read = (units: string[]) => readByAnyName(store, names, units);
		expect(await read(["now", "moved", "nothing", "single"])).toEqual(
			new Map([
				["now", 3],
				["moved", 1],
			]),
		);
		expect(asked.splice(0)).toHaveLength(2);
		expect(await read(["now", "single"])).toEqual(new Map([["now", 3]]));
		expect(asked.splice(0)).toHaveLength(1);
	});

	it("is forgotten for the units not heard of for longest", () => {
		const names = new FormerNames(() => {}, 2);
		names.remember(["a", "1"]);
		names.remember(["b", "2"]);
		names.remember(["a", "1"]);
		names.remember(["c", "3"]);
		expect(["a", "b", "c"].map((name) => names.of(name))).toEqual([
			["1"],
			[],
			["3"],
		]);
	});
});
