import { compileEligibility, type Experiment } from "#core/experiment";
import { quantise } from "#core/linalg";
import type { GenreTrack, Track } from "./catalogue.js";
import { chanceOfPlay, type Listener, PLAYLIST_LENGTH } from "./listeners.js";
import { MOOD_NAMES, type MoodName } from "./moods.js";
import { parseRecipe, tracksOf } from "./recipe.js";

/**
 * What only the demo can know, since it knows the answer to every arm and not just to the one that was shown: the truth
 * that the report's estimates can be held against. Mean rewards per decision.
 */
export interface FullInformation {
	/** The arm that is best when the same is shown every time, and what that earns. */
	readonly bestArm: string;
	readonly bestConstant: number;
	readonly uniform: number;
	/** What knowing the hidden truth would earn. */
	readonly everythingKnown: number;
	readonly from: string;
}

/** Of tracks whose genre is known: counted. */
export function genreTruth(
	pass: readonly GenreTrack[],
	arms: number,
): FullInformation {
	const counts = new Map<string, number>();
	for (const { genre } of pass) counts.set(genre, (counts.get(genre) ?? 0) + 1);
	const [bestArm, most] = [...counts].reduce((best, next) =>
		next[1] > best[1] ? next : best,
	);
	const bestConstant = most / pass.length;
	return {
		bestArm,
		bestConstant,
		uniform: 1 / arms,
		everythingKnown: 1,
		from: "the genre of every track",
	};
}

/** Of simulated listeners: the exact expectation over tracks and skips, given the moods they went through. */
export function moodTruth(
	experiment: Experiment,
	listeners: readonly Listener[],
	catalogue: ReadonlyMap<number, Track>,
): FullInformation {
	const value = expectedRewards(experiment, catalogue);
	const eligibility = compileEligibility(experiment.arms);
	const constant = experiment.arms.map(() => 0);
	let [uniform, known, decisions] = [0, 0, 0];
	for (const { activity, moods } of listeners) {
		const { eligible } = eligibility.judge({ activity });
		for (const mood of moods) {
			const values = value[mood];
			const open = eligible.map((arm) => values[arm]!);
			uniform += open.reduce((sum, v) => sum + v, 0) / open.length;
			known += Math.max(...open);
			// As Segue answers where the arm wanted is ruled out: the first that is not.
			for (const arm of constant.keys())
				constant[arm]! += values[eligible.includes(arm) ? arm : eligible[0]!]!;
			decisions += 1;
		}
	}
	const best = constant.indexOf(Math.max(...constant));
	return {
		bestArm: experiment.arms[best]!.key,
		bestConstant: constant[best]! / decisions,
		uniform: uniform / decisions,
		everythingKnown: known / decisions,
		from: "the simulator's exact expectation",
	};
}

/** Per mood and arm: the mean reward of a playlist filled from the arm's recipe. */
function expectedRewards(
	experiment: Experiment,
	catalogue: ReadonlyMap<number, Track>,
): Record<MoodName, readonly number[]> {
	const worth = (type: string) =>
		quantise(
			experiment.reward.outcomes.find((outcome) => outcome.type === type)
				?.value ?? 0,
		);
	const [play, skip] = [worth("play"), worth("skip")];
	const pools = experiment.arms.map((arm) =>
		tracksOf(parseRecipe(arm.payload), catalogue),
	);
	const values = {} as Record<MoodName, readonly number[]>;
	for (const mood of MOOD_NAMES) {
		values[mood] = pools.map((tracks) => {
			const played =
				tracks.reduce((sum, track) => sum + chanceOfPlay(mood, track), 0) /
				tracks.length;
			return PLAYLIST_LENGTH * (played * play + (1 - played) * skip);
		});
	}
	return values;
}
