import { expect, test } from "vitest";
import { aDefinition, anExperiment } from "../../../test/support/builders.js";
import { MOST_STREAM_KEEP_MS, streamKeepMs } from "./stream-keep.js";

const MINUTE = 60_000;

const declaring = (...features: object[]) =>
	aDefinition(
		anExperiment({
			key: "sample",
			arms: [{ key: "a" }],
			context: { features },
			policy: { kind: "linucb" },
			reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
		}),
	);
const skips = { name: "n", from: "live", kind: "number", event: "skip" };

test("the stream keeps what the longest live window of all experiments reads, and a quarter of an hour at least", () => {
	expect(streamKeepMs([])).toBe(15 * MINUTE);
	const short = declaring({ ...skips, window: "30s" });
	expect(streamKeepMs([short, declaring()])).toBe(15 * MINUTE);
	const long = declaring({ ...skips, window: "40m" });
	expect(streamKeepMs([short, long])).toBe(54 * MINUTE);
	const longest = declaring({ ...skips, window: "1h", by: "experiment" });
	expect(streamKeepMs([longest])).toBe(MOST_STREAM_KEEP_MS);
});
