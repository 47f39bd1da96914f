import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LiveWindows } from "#core/live";
import { anExperiment } from "../../../test/support/builders.js";
import { readItemVectors, withoutVectors } from "./item-vectors.js";

const hashKey = Int32Array.of(1, 2, 3, 4);
let folder: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "segue-vectors-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(...lines: readonly string[]) {
	const file = join(folder, "tracks.jsonl");
	await writeFile(file, lines.join("\n"));
	return readItemVectors(file, hashKey);
}

describe("a file of items' vectors", () => {
	it("is read line by line, the later of two lines for an item", async () => {
		const vectors = await read(
			'{"item": "t1", "vector": [1, 2]}',
			"",
			'{"item": "t2", "vector": [3, 4]}\r',
			'{"item": "t1", "vector": [5, 6]}',
		);
		expect([vectors.size, vectors.length]).toEqual([2, 2]);
		const feature = {
			event: "play",
			windowMs: 60_000,
			aggregate: "meanVector",
			by: "unit",
			length: 2,
		} as const;
		const windows = new LiveWindows([feature], { hashKey, vectors });
		const plays = ["t1", "t2"].map((item, i) => ({
			id: `e${i}`,
			type: "play",
			unit: "u1",
			at: 1_000,
			item,
		}));
		for (const play of plays) windows.hear(play, 1_000);
		const ask = { unit: "u1", experiment: "any" };
		expect(windows.read(feature, ask, 1_000)).toEqual([4, 5]);
	});

	it.each([
		["no JSON", ["{"], "line 1 cannot be read"],
		[
			"an item that is no text",
			['{"item": 1, "vector": [1]}'],
			"item must be a text of 1 to 256 characters",
		],
		[
			"a vector that is none",
			['{"item": "t", "vector": [1, "2"]}'],
			"vector must be a list of 1 to 256 numbers",
		],
		[
			"vectors of two lengths",
			['{"item": "t", "vector": [1]}', '{"item": "u", "vector": [1, 2]}'],
			"line 2 cannot be read: The vector has 2 numbers, and those before it 1.",
		],
		["nothing", [""], "holds no vector"],
	])("with %s is refused with a sentence", async (_, lines, expected) => {
		await expect(read(...lines)).rejects.toThrow(expected);
	});

	it("that is not there is refused with a sentence", async () => {
		await expect(
			readItemVectors(join(folder, "none"), hashKey),
		).rejects.toThrow(
			/SEGUE_ITEM_VECTORS is .*none, and it cannot be read: ENOENT/,
		);
	});

	it("of another length than a feature's, or none, is told of", async () => {
		const { context } = anExperiment({
			key: "prompt",
			arms: [{ key: "a" }],
			context: {
				features: [
					{
						name: "mood",
						from: "live",
						kind: "vector",
						length: 2,
						event: "play",
						window: "1h",
					},
				],
			},
			policy: { kind: "linucb" },
			reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
		});
		const fits = await read('{"item": "t1", "vector": [1, 2]}');
		const other = await read('{"item": "t1", "vector": [1, 2, 3]}');
		expect(withoutVectors("prompt", context, fits)).toBeNull();
		expect(withoutVectors("prompt", context, other)).toContain("have 3");
		expect(withoutVectors("prompt", context, null)).toContain("names no file");
	});
});
