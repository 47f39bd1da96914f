import { describe, expect, it } from "vitest";
import { MemoryClock, MemoryProfiles } from "#adapters/memory";
import type { JsonObject } from "#core/experiment";
import { SegueError } from "#usecases/errors";
import {
	aDefinition,
	anExperiment,
} from "../../../../test/support/builders.js";
import { GetProfile, ProfileCache, PutProfile } from "../src/index.js";

const about = (key: string, features: readonly object[]) =>
	aDefinition(
		anExperiment({
			key,
			arms: [{ key: "a" }],
			context: { features },
			policy: { kind: "linucb" },
			reward: { window: "1h", outcomes: [{ type: "play", value: 1 }] },
		}),
		{ state: "draft" },
	);

const from = "profile";
const definitions = [
	about("first", [
		{ name: "loyalty", from, kind: "number" },
		{ name: "premium", from, kind: "boolean" },
		{ name: "wakes", from, kind: "cyclic", period: 24 },
		{ name: "tier", from, kind: "category", levels: ["free", "paid"] },
		{ name: "taste", from, kind: "vector", length: 3 },
		{ name: "region", from, kind: "attribute", values: ["north", "south"] },
		{ name: "notes", from, kind: "attribute" },
		{ name: "hour", from: "request", kind: "cyclic", period: 24 },
	]),
	about("second", [
		{ name: "tier", from, kind: "category", levels: ["gold"] },
		{ name: "taste", from, kind: "vector", length: 5, consent: "taste" },
	]),
	about("third", [{ name: "embedding", from, kind: "vector", length: 255 }]),
];

function room(known = definitions) {
	const stored = new MemoryProfiles(new MemoryClock(1_000));
	const cache = new ProfileCache(stored);
	const put = new PutProfile({ all: () => known }, stored, cache);
	const get = new GetProfile(stored);
	return { stored, cache, put, get };
}

async function refused(promise: Promise<unknown>): Promise<SegueError> {
	const error = await promise.then(
		() => null,
		(reason: unknown) => reason,
	);
	expect(error).toBeInstanceOf(SegueError);
	return error as SegueError;
}

const whole = {
	loyalty: 0.5,
	premium: true,
	wakes: 7.5,
	tier: "paid",
	taste: [1, -2, 0.25],
	region: "north",
	embedding: Array.from({ length: 255 }, (_, i) => i / 256),
};

describe("a profile that is put", () => {
	it("is answered and kept as it is, replaces the one before, and is decided with at once", async () => {
		const { put, get, cache } = room();
		expect(await put.execute("listener 1", whole)).toEqual(whole);
		expect(await get.execute("listener 1")).toEqual(whole);
		expect(cache.lookUp("listener 1", 0)).toEqual(whole);
		await put.execute("listener 1", { premium: false });
		expect(await get.execute("listener 1")).toEqual({ premium: false });
		await put.execute("listener 1", {});
		expect(await get.execute("listener 1")).toEqual({});
	});

	it("may hold what any experiment declares, where several declare a name with different types", async () => {
		const { put } = room();
		for (const values of [
			{ tier: "gold", taste: [1, 2, 3, 4, 5] },
			{ tier: "free", taste: [1, 2, 3] },
		])
			expect(await put.execute("u", values)).toEqual(values);
		const error = await refused(put.execute("u", { taste: [1, 2, 3, 4] }));
		expect(error.problems).toEqual([
			{ path: "taste", message: "taste must have 3 numbers, not 4." },
		]);
	});

	const wrong: readonly [string, unknown, string, RegExp][] = [
		["a number as text", { loyalty: "0.5" }, "loyalty", /finite number/],
		["a number that is none", { loyalty: Number.NaN }, "loyalty", /finite/],
		["null", { loyalty: null }, "loyalty", /finite number, not null/],
		["a boolean as a number", { premium: 1 }, "premium", /true or false/],
		["a cyclic beyond numbers", { wakes: 1 / 0 }, "wakes", /finite/],
		["a level that nobody lists", { tier: "silver" }, "tier", /free, paid/],
		["a level of another type", { tier: 3 }, "tier", /another type/],
		["an attribute's unlisted value", { region: "x" }, "region", /north/],
		["text where any text may be", { notes: "free" }, "notes", /free text/],
		["a vector that is too short", { taste: [1] }, "taste", /3 numbers/],
		["a vector with text", { taste: [1, "2", 3] }, "taste", /finite/],
		["a vector as an object", { taste: { 0: 1 } }, "taste", /a list/],
		["a name nobody declares", { email: "a@b.c" }, "email", /No experiment/],
		["a mistyped name", { loyality: 1 }, "loyality", /mean "loyalty"\?/],
		["a request's feature", { hour: 3 }, "hour", /No experiment declares/],
		["a name that objects have", { toString: 1 }, "toString", /No experiment/],
	];
	for (const [what, body, path, message] of wrong)
		it(`with ${what} is refused under its path, and nothing is kept`, async () => {
			const { put, get } = room();
			const error = await refused(put.execute("u", body));
			expect(error).toMatchObject({ code: "invalid", status: 422 });
			expect(error.problems).toEqual([
				{ path, message: expect.stringMatching(message) },
			]);
			expect((await refused(get.execute("u"))).code).toBe("unknown-profile");
		});

	it("is told of everything that is wrong with it, a hundred at most", async () => {
		const { put } = room();
		const error = await refused(
			put.execute("u", { loyalty: "x", premium: true, nobody: 1 }),
		);
		expect(error.problems.map(({ path }) => path)).toEqual([
			"loyalty",
			"nobody",
		]);
		const names = Array.from({ length: 5_000 }, (_, i) => [
			`undeclared${i}`,
			1,
		]);
		const many = await refused(put.execute("u", Object.fromEntries(names)));
		expect(many.problems).toHaveLength(100);
		expect(many.message.length).toBeLessThan(2_000);
	});

	it("where no experiment declares any, says so", async () => {
		const error = await refused(room([]).put.execute("u", { loyalty: 1 }));
		expect(error.message).toContain("Put the experiment first");
	});

	it("must be an object of at most 64 KiB, of a unit that can be one", async () => {
		const { put } = room();
		for (const body of [[1], "text", 3, null, undefined])
			expect((await refused(put.execute("u", body))).problems[0]?.path).toBe(
				"",
			);
		const long = Array.from({ length: 30 }, (_, i) => ({
			name: `v${i}`,
			from,
			kind: "vector",
			length: 200,
		}));
		const wide = room(long.map((one) => about(one.name, [one])));
		const body: Record<string, JsonObject[string]> = {};
		for (const { name, length } of long)
			body[name] = Array.from({ length }, (_, i) => Math.PI + i);
		const error = await refused(wide.put.execute("u", body));
		expect(error.message).toContain("at most 65536 bytes");
		for (const unit of ["", "line\nbreak", "x".repeat(257)]) {
			expect((await refused(put.execute(unit, {}))).problems[0]?.path).toBe(
				"unit",
			);
			expect((await refused(wide.get.execute(unit))).code).toBe("invalid");
		}
	});
});

describe("a profile of which the unit does not allow all", () => {
	const withheldIn = (...answers: (readonly string[])[]) => {
		const stored = new MemoryProfiles(new MemoryClock(1_000));
		const cache = new ProfileCache(stored);
		const withheld = { of: async () => answers.shift() ?? [] };
		const put = new PutProfile(
			{ all: () => definitions },
			stored,
			cache,
			withheld,
		);
		return { stored, cache, put };
	};
	const values = { loyalty: 1, premium: true };

	it("is kept without the rest, and answered so", async () => {
		const { stored, put } = withheldIn(["loyalty"], ["loyalty"]);
		expect(await put.execute("u", values)).toEqual({ premium: true });
		const row = (await stored.read(["u"])).get("u");
		expect(row?.values).toEqual({ premium: true });
	});

	it("loses what was withdrawn while it was being put", async () => {
		const { stored, cache, put } = withheldIn([], ["loyalty"]);
		expect(await put.execute("u", values)).toEqual({ premium: true });
		const row = (await stored.read(["u"])).get("u");
		expect(row?.values).toEqual({ premium: true });
		expect(cache.lookUp("u", 10)).toEqual({ premium: true });
	});
});
