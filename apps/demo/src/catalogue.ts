import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

export const AUDIO_FEATURES = [
	"acousticness",
	"danceability",
	"energy",
	"instrumentalness",
	"liveness",
	"speechiness",
	"tempo",
	"valence",
] as const;
export type AudioFeature = (typeof AUDIO_FEATURES)[number];
/** `tempo` in beats a minute, the others in [0, 1]. */
export type AudioFeatures = Readonly<Record<AudioFeature, number>>;

export interface Track {
	/** Id in the Free Music Archive. */
	readonly id: number;
	readonly features: AudioFeatures;
}

export interface GenreTrack {
	readonly track: Track;
	/** Key of the arm whose prompt matches. */
	readonly genre: string;
}

/** The repository's root: the first folder upwards with a package.json, so that it is found from source and from dist. */
export const ROOT = (() => {
	let folder = dirname(fileURLToPath(import.meta.url));
	while (!existsSync(join(folder, "package.json"))) {
		const above = dirname(folder);
		if (above === folder)
			throw new Error(
				"No package.json above the demo: run it inside the repository.",
			);
		folder = above;
	}
	return folder;
})();

/** All tracks of the Free Music Archive with audio features, by id. */
export function readCatalogue(): ReadonlyMap<number, Track> {
	const tracks = new Map<number, Track>();
	for (const [id, ...values] of readNumbers("fma-tracks.csv.gz")) {
		const features = Object.fromEntries(
			AUDIO_FEATURES.map((name, i) => [name, values[i]!]),
		) as AudioFeatures;
		tracks.set(id!, { id: id!, features });
	}
	return tracks;
}

/** The tracks whose genre is known, in the order of the pass. */
export function readGenrePass(
	catalogue: ReadonlyMap<number, Track>,
): GenreTrack[] {
	const about = JSON.parse(
		readFileSync(dataFile("fma-genre.json"), "utf8"),
	) as {
		classes: string[];
		track_ids: number[];
	};
	const genres = readNumbers("fma-genre.csv.gz").map(
		(row) => about.classes[row[row.length - 1]!]!,
	);
	return readNumbers("fma-genre.order.csv.gz").map(([row]) => ({
		track: catalogue.get(about.track_ids[row!]!)!,
		genre: genres[row!]!,
	}));
}

export function dataFile(name: string): string {
	return join(ROOT, "apps/demo/data", name);
}

/** Rows of a gzipped CSV of numbers, without its header. */
export function readNumbers(name: string): number[][] {
	const lines = gunzipSync(readFileSync(dataFile(name)))
		.toString("utf8")
		.trimEnd()
		.split("\n")
		.slice(1);
	return lines.map((line) => line.split(",").map(Number));
}
