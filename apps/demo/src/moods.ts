import type { AudioFeature, AudioFeatures } from "./catalogue.js";

/** What a simulated listener wants to hear, and how one behaves in that mood. Invented for the demo; nothing here is data. */
export interface Mood {
	/** Per feature that matters: the ideal value, and the distance at which the fit has fallen to e^−½. */
	readonly ideal: Readonly<
		Partial<Record<AudioFeature, readonly [value: number, tolerance: number]>>
	>;
	/** Hours around which the mood is common, each with its strength and its width in hours. */
	readonly hours: readonly (readonly [
		hour: number,
		strength: number,
		width: number,
	])[];
	readonly device: Readonly<Record<Device, number>>;
	/** Chance that headphones are on. */
	readonly headphones: number;
	readonly activity: Readonly<Record<Activity, number>>;
	/** Tracks skipped on one's own in the last half minute and played through in the last five, on average, before asking. */
	readonly restless: number;
	readonly settled: number;
}

export type Device = "phone" | "desktop" | "speaker";
export type Activity = "home" | "work" | "run" | "sleep";
export type MoodName = keyof typeof MOODS;

export const MOODS = {
	unwind: {
		ideal: { acousticness: [0.95, 0.35], energy: [0.15, 0.25] },
		hours: [[23, 1.4, 2.5]],
		device: { phone: 3, desktop: 1, speaker: 3 },
		headphones: 0.4,
		activity: { home: 6, work: 1, run: 0, sleep: 3 },
		restless: 0.3,
		settled: 1.6,
	},
	workout: {
		ideal: { energy: [0.95, 0.2], tempo: [155, 35] },
		hours: [
			[7, 1, 1.5],
			[18, 1, 1.5],
		],
		device: { phone: 8, desktop: 0.5, speaker: 1 },
		headphones: 0.9,
		activity: { home: 2, work: 0, run: 8, sleep: 0 },
		restless: 2.2,
		settled: 0.7,
	},
	party: {
		ideal: { danceability: [0.8, 0.2], energy: [0.65, 0.25], tempo: [120, 20] },
		hours: [[21, 1.2, 2]],
		device: { phone: 2, desktop: 1, speaker: 8 },
		headphones: 0.1,
		activity: { home: 9, work: 0, run: 1, sleep: 0 },
		restless: 3,
		settled: 0.5,
	},
	focus: {
		ideal: {
			instrumentalness: [0.95, 0.25],
			energy: [0.4, 0.25],
			speechiness: [0.03, 0.05],
			valence: [0.25, 0.3],
		},
		hours: [
			[10, 1.2, 2],
			[14.5, 1.3, 2],
		],
		device: { phone: 2, desktop: 8, speaker: 1 },
		headphones: 0.75,
		activity: { home: 2, work: 8, run: 0, sleep: 0 },
		restless: 0.2,
		settled: 1.8,
	},
	bright: {
		ideal: {
			valence: [0.9, 0.2],
			energy: [0.6, 0.25],
			danceability: [0.55, 0.25],
		},
		hours: [
			[8.5, 1, 1.5],
			[12.5, 1, 1.5],
			[17, 0.8, 2],
		],
		device: { phone: 5, desktop: 2, speaker: 3 },
		headphones: 0.4,
		activity: { home: 6, work: 3, run: 1, sleep: 0 },
		restless: 1.2,
		settled: 1,
	},
} as const satisfies Record<string, Mood>;

export const MOOD_NAMES = Object.keys(MOODS) as MoodName[];

/** In [0, 1]: how well a track fits, a Gaussian bump over the features that matter to the mood. */
export function moodFit(mood: MoodName, track: AudioFeatures): number {
	let distance = 0;
	for (const [name, [value, tolerance]] of Object.entries(
		MOODS[mood].ideal,
	) as [AudioFeature, [number, number]][]) {
		distance += ((track[name] - value) / tolerance) ** 2;
	}
	return Math.exp(-distance / 2);
}

/** How common each mood is at an hour in [0, 24), relative to the others. */
export function moodWeights(hour: number): Record<MoodName, number> {
	const weights = {} as Record<MoodName, number>;
	for (const name of MOOD_NAMES) {
		weights[name] = 0.15;
		for (const [peak, strength, width] of MOODS[name].hours) {
			const away = Math.abs(hour - peak);
			weights[name] +=
				strength * Math.exp(-((Math.min(away, 24 - away) / width) ** 2) / 2);
		}
	}
	return weights;
}
