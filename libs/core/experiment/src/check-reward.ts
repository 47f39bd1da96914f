import type { RewardDocument } from "./document.js";
import { parseDuration } from "./duration.js";
import type { Problem } from "./experiment.js";
import { toReward } from "./from-document.js";
import { RETRACT } from "./patterns.js";

const LONGEST_WINDOW_MS = 90 * 86_400_000;

export function rewardProblems(document: RewardDocument): Problem[] {
	const problems: Problem[] = [];
	const { range, windowMs } = toReward(document);
	if (range[0] >= range[1])
		problems.push({
			path: "reward.range",
			message: `Must go from a lower to a higher number, not from ${range[0]} to ${range[1]}.`,
		});
	if (windowMs < 1000 || windowMs > LONGEST_WINDOW_MS)
		problems.push({
			path: "reward.window",
			message: `Must be 1s to 90d, not ${document.window}.`,
		});
	const first = new Map<string, number>();
	document.outcomes.forEach(({ type }, index) => {
		const path = `reward.outcomes[${index}].type`;
		const known = first.get(type);
		if (known === undefined) first.set(type, index);
		else
			problems.push({
				path,
				message: `outcomes[${known}] is for ${type} too; one rule a type.`,
			});
		if (type === RETRACT)
			problems.push({
				path,
				message: "A retract takes an event back; it cannot earn.",
			});
	});
	return problems;
}

export function rewardWarnings(document: RewardDocument): Problem[] {
	const windowMs = parseDuration(document.window) ?? 0;
	return document.outcomes.flatMap(({ within }, index) =>
		within !== undefined && (parseDuration(within) ?? 0) > windowMs
			? [
					{
						path: `reward.outcomes[${index}].within`,
						message: `${within} is longer than the window of ${document.window}, after which nothing counts anyway.`,
					},
				]
			: [],
	);
}
