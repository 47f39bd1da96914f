import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { compileEncoder } from "#core/context";
import { liveFeatures, parseExperimentYaml } from "#core/experiment";
import { LiveWindows } from "#core/live";
import { type Event, parseEvent } from "#core/log";

const NOW = Date.UTC(2026, 0, 5, 7);
const FILE = new URL(
	"../../../../experiments/micro-signals.yaml",
	import.meta.url,
);

let serial = 0;
/** As a client sends it, so many seconds before now. */
function sent(type: string, secondsAgo: number, more: object = {}): Event {
	const parsed = parseEvent({
		id: `e${++serial}`,
		type,
		unit: "listener",
		at: new Date(NOW - secondsAgo * 1_000).toISOString(),
		...more,
	});
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
	return parsed.value;
}

/** A listener who skips ever faster, looks for something, and finds it. */
const events = [
	sent("save", 2_000),
	sent("search", 400),
	sent("scroll", 350, { properties: { depth: 1 } }),
	sent("skip", 200, { value: 40 }),
	sent("skip", 20, { value: 6 }),
	sent("skip", 8, { value: 2 }),
	sent("scroll", 100, { properties: { depth: 0.25 } }),
	sent("scroll", 5, { properties: { depth: 0.75, page: "albums" } }),
	sent("dwell", 90, { properties: { seconds: 9, prompt: "change" } }),
	sent("dwell", 30, { properties: { seconds: 1.5, prompt: "more" } }),
	sent("search", 60),
	sent("save", 10),
];

const made = {
	secondsBeforeSkip: 16,
	skips30s: 2,
	scrollDepth: 0.5,
	lastDwell: 1.5,
	saves: 2,
	searches: 1,
	sinceSearch: 60,
};

it("the example of micro-signals makes skip speed, scroll depth, dwell, saves and searches of a client's events, in whatever order they come", async () => {
	const parsed = parseExperimentYaml(await readFile(FILE, "utf8"));
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
	const { context } = parsed.value;
	const encoder = compileEncoder(context);
	const encoded = [events, [...events].reverse()].map((order) => {
		const windows = new LiveWindows(liveFeatures(context), {
			hashKey: Int32Array.of(1, 2, 3, 4),
		});
		for (const event of order) windows.hear(event, NOW);
		const values = Object.fromEntries(
			context.features.flatMap((feature) => {
				if (feature.kind !== "number" || feature.live === undefined) return [];
				const ask = { unit: "listener", experiment: "micro-signals" };
				return [[feature.name, windows.read(feature.live, ask, NOW) ?? 0]];
			}),
		);
		expect(values).toEqual(made);
		return [...encoder.encode(values).x];
	});
	expect(encoded[0]).toEqual(encoded[1]);
});

it("and of a listener of whom nothing came says what is missing", async () => {
	const parsed = parseExperimentYaml(await readFile(FILE, "utf8"));
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
	const { missing, x } = compileEncoder(parsed.value.context).encode({});
	expect(missing).toEqual(Object.keys(made));
	// One indicator each of the three that nothing can stand in for.
	expect(x.length).toBe(1 + 7 + 3);
});
