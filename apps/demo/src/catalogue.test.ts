import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compileEncoder } from "#core/context";
import { parseExperimentYaml } from "#core/experiment";
import {
	ROOT,
	readCatalogue,
	readGenrePass,
	readNumbers,
} from "./catalogue.js";
import { genreTruth } from "./full-information.js";
import { parseRecipe, tracksOf } from "./recipe.js";

const catalogue = readCatalogue();
const pass = readGenrePass(catalogue);

function experiment(file: string) {
	const parsed = parseExperimentYaml(
		readFileSync(join(ROOT, "experiments", file), "utf8"),
	);
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
	return parsed.value;
}

describe("the demo's data", () => {
	it("has 13,129 tracks, of which 5,618 with a known genre come once each in the pass", () => {
		expect(catalogue.size).toBe(13_129);
		expect(new Set(pass.map(({ track }) => track.id)).size).toBe(5_618);
	});

	it("gives the known full information of genre-prompt: Rock 0.6928, uniform 0.125", () => {
		expect(genreTruth(pass, 8)).toMatchObject({
			bestArm: "Rock",
			uniform: 0.125,
		});
		expect(genreTruth(pass, 8).bestConstant).toBeCloseTo(
			0.6927732289070844,
			12,
		);
	});
});

describe("genre-prompt.yaml", () => {
	const genrePrompt = experiment("genre-prompt.yaml");

	it("has an arm for every genre of the data", () => {
		const arms = genrePrompt.arms.map(({ key }) => key);
		expect(arms).toEqual([...new Set(pass.map(({ genre }) => genre))].sort());
	});

	it("encodes natural audio features to the z-scores of the data, within the grid (clip ±5 there, ±8 here)", () => {
		const encoder = compileEncoder(genrePrompt.context);
		const scores = readNumbers("fma-genre.csv.gz");
		let worst = 0;
		for (const [i, [row]] of readNumbers("fma-genre.order.csv.gz").entries()) {
			const { x, missing } = encoder.encode(pass[i]!.track.features);
			expect(missing).toEqual([]);
			const z = scores[row!]!.slice(0, 8);
			for (const [k, value] of z.entries()) {
				const got = Math.max(-5, Math.min(5, x[k + 1]!));
				worst = Math.max(worst, Math.abs(got - value));
			}
		}
		// Half a grid step, and the six decimals of the file.
		expect(worst).toBeLessThan(2 ** -13 + 1e-6);
	});
});

describe("mood-playlist.yaml", () => {
	it("has five recipes, each of hundreds of tracks, none of which lie outside its ranges", () => {
		const recipes = experiment("mood-playlist.yaml").arms.map(({ payload }) =>
			parseRecipe(payload),
		);
		const sizes = recipes.map((recipe) => tracksOf(recipe, catalogue).length);
		expect(sizes.every((size) => size > 500 && size < 4000)).toBe(true);
		for (const { features } of tracksOf(recipes[1]!, catalogue)) {
			expect(features.energy).toBeGreaterThanOrEqual(0.8);
			expect(features.tempo).toBeGreaterThanOrEqual(120);
		}
	});

	it("refuses a recipe that names no audio feature or no range", () => {
		expect(() => parseRecipe({ recipe: { loudness: [0, 1] } })).toThrow(
			"recipe.loudness",
		);
		expect(() => parseRecipe({ recipe: { energy: 0.8 } })).toThrow(
			"recipe.energy",
		);
		expect(() => parseRecipe({ text: "Hello" })).toThrow("has no recipe");
	});
});
