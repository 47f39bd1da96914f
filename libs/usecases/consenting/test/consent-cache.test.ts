import { describe, expect, it } from "vitest";
import { MemoryClock, MemoryConsents } from "#adapters/memory";
import { NO_CONSENT, NOTHING_STANDS } from "#core/privacy";
import { eventually } from "../../../../test/contract/eventually.js";
import { ConsentCache } from "../src/index.js";

const BUDGET_MS = 1_000;
const yes = { ...NO_CONSENT, answers: { personalization: true } };
const no = { ...NO_CONSENT, answers: { personalization: false } };

/** A decider's consents, and what it was told to forget. */
function room() {
	const clock = new MemoryClock(1_000_000);
	const stored = new MemoryConsents(clock);
	const changed: [string, number][] = [];
	const heard = { agoMs: 0 };
	const cache = new ConsentCache(
		stored,
		() => performance.now() - heard.agoMs,
		{ onChanged: (unit, since) => void changed.push([unit, since]) },
	);
	const putElsewhere = async (unit: string, consent: typeof yes) => {
		clock.advance(10);
		const row = await stored.put(unit, consent, []);
		cache.forgetOlder(unit, row.updatedAt);
		return row.values;
	};
	return { stored, cache, changed, heard, putElsewhere };
}

describe("a decider's consents", () => {
	it("are read once and then known, also that a unit was never asked", async () => {
		const { stored, cache } = room();
		const { values } = await stored.put("asked", yes, []);
		expect(await cache.lookUp("asked", BUDGET_MS)).toEqual(values);
		expect(await cache.lookUp("never", BUDGET_MS)).toEqual(NOTHING_STANDS);
		expect(cache.lookUp("asked", BUDGET_MS)).toEqual(values);
		expect(cache.lookUp("never", BUDGET_MS)).toEqual(NOTHING_STANDS);
		expect(stored.questions.flat()).toEqual(["asked", "never"]);
	});

	it("are none that can be told, while a change made elsewhere may be unknown", async () => {
		const { stored, cache, heard } = room();
		await stored.put("unit", yes, []);
		await cache.lookUp("unit", BUDGET_MS);
		heard.agoMs = 1_400;
		expect(cache.lookUp("unit", BUDGET_MS)).not.toBeNull();
		heard.agoMs = 1_600;
		expect(cache.lookUp("unit", BUDGET_MS)).toBeNull();
		expect(cache.lookUp("other", BUDGET_MS)).toBeNull();
		heard.agoMs = 0;
		expect(cache.lookUp("unit", BUDGET_MS)).not.toBeNull();
	});

	it("that are changed elsewhere are read again at once, and what was made of them is to be forgotten; a put of the same changes nothing", async () => {
		const { stored, cache, changed, putElsewhere } = room();
		const first = await stored.put("unit", yes, []);
		await cache.lookUp("unit", BUDGET_MS);
		await putElsewhere("unit", yes);
		await eventually(() => expect(stored.questions).toHaveLength(2));
		expect(changed).toEqual([]);
		const now = await putElsewhere("unit", no);
		await eventually(() =>
			expect(changed).toEqual([["unit", first.values.since]]),
		);
		expect(cache.lookUp("unit", BUDGET_MS)).toEqual(now);
		await putElsewhere("nobody asked for", yes);
		expect(stored.questions.flat()).not.toContain("nobody asked for");
	});

	it("that are put here, or go with their unit, leave nothing that was made of them", async () => {
		const { stored, cache, changed } = room();
		cache.put("put", await stored.put("put", yes, []));
		const { since } = (await cache.lookUp("put", BUDGET_MS)) ?? NOTHING_STANDS;
		cache.put("put", await stored.put("put", no, []));
		expect(changed).toEqual([["put", since]]);
		const now = cache.lookUp("put", BUDGET_MS);
		await cache.forgetErased({
			mark: (unit) => unit.length,
			marks: new Set([3]),
		});
		expect(changed[1]).toEqual(["put", (now as typeof NOTHING_STANDS).since]);
	});

	it("that retention may have deleted are read again", async () => {
		const { stored, cache } = room();
		const { updatedAt } = await stored.put("old", yes, []);
		await cache.lookUp("old", BUDGET_MS);
		stored.remove("old");
		cache.forgetPutBefore(updatedAt);
		expect(cache.lookUp("old", BUDGET_MS)).toMatchObject(yes);
		cache.forgetPutBefore(updatedAt + 1);
		expect(await cache.lookUp("old", BUDGET_MS)).toEqual(NOTHING_STANDS);
	});
});
