import {
	type Experiment,
	isLive,
	type Problem,
	renderDuration,
} from "#core/experiment";
import { unknownPurpose } from "./consent.js";
import type { PrivacyPolicy } from "./policy.js";

/** What of an experiment the privacy files do not know or do not allow anywhere. */
export function privacyProblems(
	policy: PrivacyPolicy,
	{ context }: Pick<Experiment, "context">,
): Problem[] {
	const longest = longestWindow(policy);
	return context.features.flatMap((feature, i) => {
		const at = `context.features[${i}]`;
		const problems: Problem[] = [];
		if (feature.consent !== undefined && !policy.purposes.has(feature.consent))
			problems.push({
				path: `${at}.consent`,
				message: unknownPurpose(policy, feature.consent),
			});
		const live = isLive(feature) ? feature.live : undefined;
		if (live !== undefined && longest !== null && live.windowMs > longest.ms)
			problems.push({
				path: `${at}.window`,
				message: `Must be at most ${renderDuration(longest.ms)}, which the privacy rules of ${longest.of} keep events in windows for, not ${renderDuration(live.windowMs)}.`,
			});
		return problems;
	});
}

/** Windows are the same for all, so the shortest rule holds. */
function longestWindow({
	jurisdictions,
}: PrivacyPolicy): { readonly of: string; readonly ms: number } | null {
	let longest: { of: string; ms: number } | null = null;
	for (const [of, { retention }] of jurisdictions) {
		const ms = retention.windows;
		if (ms !== null && (longest === null || ms < longest.ms))
			longest = { of, ms };
	}
	return longest;
}
