import { expect, it } from "vitest";
import { Flights } from "./flights.js";

const breath = () => new Promise((resolve) => setImmediate(resolve));

it("no more questions are under way than there is room for, and one that ended makes room for the next", async () => {
	const flights = new Flights(2);
	const waiting = ["a", "b", "c"];
	const ends = new Map<string, () => void>();
	const next = () => {
		const question = waiting.shift();
		return question === undefined
			? null
			: new Promise<void>((resolve) => ends.set(question, resolve));
	};
	flights.launch(next);
	flights.launch(next);
	expect([...ends.keys()]).toEqual(["a", "b"]);
	expect(flights.haveHungFor(0)).toBe(true);
	expect(flights.haveHungFor(60_000)).toBe(false);
	ends.get("b")?.();
	await breath();
	expect([...ends.keys()]).toEqual(["a", "b", "c"]);
	for (const end of ends.values()) end();
	await breath();
	expect(flights.haveHungFor(0)).toBe(false);
});
