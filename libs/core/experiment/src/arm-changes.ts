import type { Arm, Experiment } from "./experiment.js";

const LAST =
	"No decision chooses it later than 2 s after the change; outcomes of earlier decisions still count.";
const MOST_NAMED = 10;

/** What it means that arms come, go, pause, retire or return: one reason for each of these, naming its arms. */
export function armReasons(before: Experiment, after: Experiment): string[] {
	const old = byKey(before.arms);
	const now = byKey(after.arms);
	const turned = (state: Arm["state"]) =>
		after.arms.filter((arm) => {
			const was = old.get(arm.key);
			return was !== undefined && was.state !== state && arm.state === state;
		});
	return [
		...say(
			"New",
			after.arms.filter(({ key }) => !old.has(key)),
			"It is tried as an arm of which nothing is known, unless this version had an arm of that key before.",
		),
		...say("Paused", turned("paused"), `${LAST} It can be made active again.`),
		...say("Retired", turned("retired"), LAST),
		...say(
			"Active again",
			turned(undefined),
			"It may be chosen, with all that was learned of it.",
		),
		...say(
			"Removed",
			before.arms.filter(({ key }) => !now.has(key)),
			`${LAST} Reports list it no longer; retire it instead where they should.`,
		),
	];
}

function say(what: string, arms: readonly Arm[], meaning: string): string[] {
	if (arms.length === 0) return [];
	const named = arms.slice(0, MOST_NAMED).map(({ key }) => key);
	const more = arms.length - named.length;
	const others = more > 0 ? ` and ${more} more` : "";
	return [`${what}: ${named.join(", ")}${others}. ${meaning}`];
}

function byKey(arms: readonly Arm[]): ReadonlyMap<string, Arm> {
	return new Map(arms.map((arm) => [arm.key, arm]));
}
