import { expect, it } from "vitest";
import { eventHash } from "./event-hash.js";

it("of an event is the one that is stored, whatever the order of its keys", () => {
	const event = {
		id: "e1",
		type: "play",
		at: 1_700_000_000_000,
		unit: "ünit",
		value: 0.5,
	};
	// printf '{"at":1700000000000,"id":"e1","type":"play","unit":"ünit","value":0.5}' | sha256sum
	const stored =
		"736ec2513824f53c564164e1994c02fd62ca49c90feb348ac32104ed8f09fea3";
	const again = Object.fromEntries(Object.entries(event).reverse());
	for (const one of [event, again as unknown as typeof event])
		expect(Buffer.from(eventHash(one)).toString("hex")).toBe(stored);
});
