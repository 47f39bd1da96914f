import { bestArms } from "#core/policy";
import type { Considered } from "./considered.js";
import { serveGroup } from "./serve-group.js";

/**
 * Place, among the eligible arms, of the one with the highest mean (the first of those tied), whatever the policy's kind.
 * While the experiment does not run, or a guardrail holds it: the arm everyone gets.
 */
export function bestArm({
	definition,
	arms,
	scored: { means, propensities },
}: Considered): number {
	if (definition.state !== "running" || definition.held)
		return serveGroup(
			definition,
			"outside",
			arms.keys,
			propensities,
		).propensities.indexOf(1);
	return bestArms(means, "first")[0]!;
}
