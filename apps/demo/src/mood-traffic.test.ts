import { describe, expect, it } from "vitest";
import { readCatalogue } from "./catalogue.js";
import { makeListener } from "./listeners.js";
import { MoodTraffic, PLAYLISTS } from "./mood-traffic.js";

const catalogue = readCatalogue();
const decision = (id: string) => ({
	decisionId: id,
	arm: "high-energy",
	payload: { recipe: { energy: [0.8, 1] } },
	propensity: 1,
	group: "policy" as const,
	degraded: [],
});

describe("the simulated listeners", () => {
	it("are the same for the same seed and others for another", () => {
		const crowd = (seed: string) =>
			Array.from({ length: 20 }, (_, i) => makeListener(seed, i, 4));
		expect(crowd("2026")).toEqual(crowd("2026"));
		expect(crowd("2027")).not.toEqual(crowd("2026"));
	});

	it("did what they did before asking within the live window, and drift between moods", () => {
		const crowd = Array.from({ length: 500 }, (_, i) =>
			makeListener("2026", i, 4),
		);
		const before = crowd.flatMap((listener) => listener.before);
		expect(before.length).toBeGreaterThan(500);
		expect(
			before.every(({ secondsAgo }) => secondsAgo >= 1 && secondsAgo < 300),
		).toBe(true);
		const drifted = crowd.filter(({ moods }) => new Set(moods).size > 1).length;
		expect(drifted).toBeGreaterThan(50);
		expect(drifted).toBeLessThan(300);
	});
});

describe("MoodTraffic", () => {
	/** Runs three listeners to the end; `pause` is the simulated time that passes when nobody is ready. */
	function run(seed: string) {
		const clock = { now: 1_700_000_000_000 };
		const traffic = new MoodTraffic(seed, catalogue, 3, () => clock.now);
		const log: { unit: string; types: string[]; at: number }[] = [];
		const ids = new Set<string>();
		let [events, number] = [0, 0];
		for (;;) {
			const turn = traffic.next(clock.now, number);
			if (turn === "over") return { log, ids, events, traffic };
			if (turn === "nobody") clock.now += 50;
			else if (turn.kind === "signals") {
				for (const { id, at } of turn.events) {
					ids.add(id);
					expect(clock.now - at).toBeLessThan(300_000);
					expect(at).toBeLessThan(clock.now);
				}
				events += turn.events.length;
				turn.sent();
			} else {
				const outcomes = turn.outcomes(decision(`d${number}`), clock.now);
				for (const { id } of outcomes) ids.add(id);
				events += outcomes.length;
				log.push({
					unit: turn.request.unit,
					types: outcomes.map(({ type }) => type),
					at: clock.now,
				});
				turn.sent(number++);
			}
		}
	}

	it("lets every listener ask for every playlist, with an impression and four tracks played or skipped", () => {
		const { log, ids, events, traffic } = run("2026");
		expect(log).toHaveLength(3 * PLAYLISTS);
		expect(traffic.size).toBe(3 * PLAYLISTS);
		expect(ids.size).toBe(events);
		for (const { types } of log) {
			expect(types[0]).toBe("impression");
			expect(
				types.slice(1).every((type) => type === "play" || type === "skip"),
			).toBe(true);
			expect(types).toHaveLength(5);
		}
		expect(run("2026").log).toEqual(log);
	});

	it("waits between a listener's playlists, so that the live counts hold what was just done", () => {
		const { log } = run("2026");
		const times = log
			.filter(({ unit }) => unit === "listener-0001")
			.map(({ at }) => at);
		for (let i = 1; i < times.length; i += 1)
			expect(times[i]! - times[i - 1]!).toBeGreaterThanOrEqual(250);
	});

	it("asks nobody again whose last outcomes are not learned", () => {
		const traffic = new MoodTraffic("2026", catalogue, 1, () => 0);
		const arrival = traffic.next(0, 0);
		if (typeof arrival === "string" || arrival.kind !== "signals")
			throw new Error("A listener arrives first.");
		arrival.sent();
		const first = traffic.next(1000, 0);
		if (typeof first === "string" || first.kind !== "ask")
			throw new Error("Then it asks.");
		first.sent(0);
		expect(traffic.next(10_000, 0)).toBe("nobody");
		expect(traffic.next(10_000, 1)).toMatchObject({ kind: "ask" });
	});
});
