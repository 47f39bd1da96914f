import type { Track } from "./catalogue.js";
import {
	type Activity,
	type Device,
	MOODS,
	type MoodName,
	moodFit,
	moodWeights,
} from "./moods.js";
import { pick, poisson, type Random, sample, seededRandom } from "./random.js";

export const PLAYLIST_LENGTH = 4;
/** Chance that the mood is drawn anew before the next playlist. */
const DRIFT = 0.15;

/** What happened to one track: played through, or skipped early. */
export interface Listen {
	readonly type: "play" | "skip";
	readonly track: number;
}

/** A simulated listener: what the client knows of one, and the moods that it does not know. */
export interface Listener {
	readonly unit: string;
	readonly hour: number;
	readonly device: Device;
	readonly headphones: boolean;
	readonly activity: Activity;
	/** What one did on one's own just before asking: seconds ago, at most 300. */
	readonly before: readonly {
		readonly type: "play" | "skip";
		readonly secondsAgo: number;
	}[];
	/** Hidden: the mood at each playlist of the session. It drifts whatever is played. */
	readonly moods: readonly MoodName[];
}

/** Listener `index` of the crowd with this seed, always the same. */
export function makeListener(
	seed: string,
	index: number,
	playlists: number,
): Listener {
	const random = seededRandom(`${seed}/listener/${index}`);
	const hour = Math.round(random() * 239) / 10;
	const mood = pick(moodWeights(hour), random);
	const { device, headphones, activity, restless, settled } = MOODS[mood];
	const moods = [mood];
	const listener = {
		unit: `listener-${String(index + 1).padStart(4, "0")}`,
		hour,
		device: pick(device, random),
		headphones: random() < headphones,
		activity: pick(activity, random),
		before: [
			...earlier("skip", restless, 29, random),
			...earlier("play", settled, 290, random),
		],
		moods,
	};
	while (moods.length < playlists) {
		const last = moods[moods.length - 1]!;
		moods.push(random() < DRIFT ? pick(moodWeights(hour), random) : last);
	}
	return listener;
}

function earlier(
	type: "play" | "skip",
	mean: number,
	seconds: number,
	random: Random,
): Listener["before"] {
	return Array.from({ length: poisson(mean, 8, random) }, () => ({
		type,
		secondsAgo: 1 + random() * (seconds - 1),
	}));
}

/** Chance that a track is played through in this mood. */
export function chanceOfPlay(mood: MoodName, track: Track): number {
	return 0.05 + 0.9 * moodFit(mood, track.features);
}

/** A playlist filled from the tracks of a recipe, and what the listener does with it: the same for the same seed. */
export function listen(
	seed: string,
	listener: Listener,
	playlist: number,
	tracks: readonly Track[],
): Listen[] {
	const random = seededRandom(`${seed}/${listener.unit}/${playlist}`);
	const mood = listener.moods[playlist]!;
	return sample(tracks, PLAYLIST_LENGTH, random).map((track) => ({
		type: random() < chanceOfPlay(mood, track) ? "play" : "skip",
		track: track.id,
	}));
}
