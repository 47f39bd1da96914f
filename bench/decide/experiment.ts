/** The experiment and the requests of bench:decide: K = 20 arms, d = 32 coordinates, bodies of about 800 bytes. */

export const KEY = "bench-decide";
export const ARMS = 20;
export const COORDINATES = 32;

/** 1 + 2 + 2 + 4 + 3 + 2 + 6 + 12 = 32 coordinates; two arms have a rule, which holds for every body. */
export const experiment = {
	key: KEY,
	name: "Which of twenty prompts opens the session?",
	hypothesis: "None: this experiment exists to be measured.",
	owner: "bench",
	arms: Array.from({ length: ARMS }, (_, index) => ({
		key: `arm-${index}`,
		payload: {
			text: `Prompt number ${index}, as a client shows it`,
			recipe: `recipe-${index}`,
		},
		tags: ["bench"],
		...(index % 10 === 3 && { eligible: 'context.activity != "sleep"' }),
	})),
	context: {
		intercept: true,
		features: [
			{ name: "hour", from: "request", kind: "cyclic", period: 24 },
			{ name: "weekday", from: "request", kind: "cyclic", period: 7 },
			{
				name: "device",
				from: "request",
				kind: "category",
				levels: ["phone", "tablet", "desktop", "speaker"],
			},
			{
				name: "plan",
				from: "request",
				kind: "category",
				levels: ["free", "family", "premium"],
			},
			{ name: "headphones", from: "request", kind: "boolean" },
			{ name: "shuffle", from: "request", kind: "boolean" },
			{
				name: "tempo",
				from: "request",
				kind: "number",
				mean: 120,
				scale: 30,
			},
			...["energy", "valence", "danceability", "acousticness", "novelty"].map(
				(name) => ({
					name,
					from: "request",
					kind: "number",
					mean: 0.5,
					scale: 0.25,
				}),
			),
			{ name: "taste", from: "request", kind: "vector", length: 12 },
			{
				name: "activity",
				from: "request",
				kind: "attribute",
				values: ["sleep", "work", "run", "home"],
			},
			...["locale", "client", "surface", "playing", "playlist", "referrer"].map(
				(name) => ({ name, from: "request", kind: "attribute" }),
			),
		],
	},
	policy: { kind: "linucb", alpha: 0.5, ridge: 1, explore: 0.05 },
	reward: {
		learn: "impression",
		window: "30m",
		default: 0,
		combine: "sum",
		range: [-1, 2],
		outcomes: [{ type: "play", value: 1 }],
	},
	traffic: { share: 1, control: 0.1, baseline: "uniform" },
};

/** The same numbers in every run: mulberry32. */
export function randomNumbers(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}

export interface Request {
	readonly experiment: string;
	readonly unit: string;
	readonly session: string;
	readonly context: Readonly<Record<string, unknown>>;
}

export function requestOf(random: () => number): Request {
	const pick = <T>(list: readonly T[]) =>
		list[Math.floor(random() * list.length)] as T;
	const share = () => Number(random().toFixed(9));
	const id = () => Math.floor(random() * 1e12).toString(16);
	return {
		experiment: KEY,
		unit: `listener-${id()}`,
		session: `session-${id()}-${id()}`,
		context: {
			hour: Number((random() * 24).toFixed(3)),
			weekday: Math.floor(random() * 7),
			device: pick(["phone", "tablet", "desktop", "speaker"]),
			plan: pick(["free", "family", "premium"]),
			headphones: random() < 0.5,
			shuffle: random() < 0.5,
			tempo: Number((60 + random() * 120).toFixed(6)),
			energy: share(),
			valence: share(),
			danceability: share(),
			acousticness: share(),
			novelty: share(),
			taste: Array.from({ length: 12 }, () =>
				Number((random() * 4 - 2).toFixed(12)),
			),
			activity: pick(["work", "run", "home"]),
			locale: pick(["de-AT", "en-GB", "fr-FR"]),
			client: pick(["android-14.3.1", "ios-17.6.0-beta", "web-2026.01.05"]),
			surface: pick(["home-top-shelf", "lock-screen", "search-results"]),
			playing: `track-${id()}-${id()}`,
			playlist: `playlist-${id()}-${id()}-${id()}`,
			referrer: `campaign-${id()}-${id()}-${id()}-spring-mornings`,
		},
	};
}
