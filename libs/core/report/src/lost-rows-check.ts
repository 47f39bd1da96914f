import type { BookedCounts, BookedDraws } from "#core/booking";
import { type ArmDraws, drawBalances } from "#core/statistics";
import type { CheckSummary } from "./checks.js";
import { said } from "./said.js";

/** Of all arms and looks together. */
const ALARM = 0.001;

/**
 * Whether rows are missing: publishers number their packs, so a pack that never came is known; and rows that are lost by the arm they drew
 * move draws away from their propensities.
 */
export function checkLostRows(
	{ draws, freshness }: BookedCounts,
	lostPacks: number,
): CheckSummary {
	const arms = [...byArm(draws)];
	const balances =
		arms.length === 0
			? []
			: drawBalances(
					arms.map(([, sums]) => sums),
					ALARM,
				);
	const off = balances.flatMap(({ isOff, excess, atMost }, i) =>
		isOff
			? [
					`${arms[i]?.[0]} was drawn ${said(Math.abs(excess))} times ${excess < 0 ? "less" : "more"} often than its propensities say, where chance allows ${said(atMost)}`,
				]
			: [],
	);
	const about = {
		check: "lost rows",
		pValue: null,
		covers: ["lift", "segments", "metrics", "values of arms"],
		footnote: "row-loss",
	} as const;
	if (lostPacks > 0 || off.length > 0) {
		const packs =
			lostPacks === 0
				? []
				: [
						`${lostPacks.toLocaleString("en-US")} packs of decisions, of any experiment of this installation, were published since this one began and never came`,
					];
		return {
			...about,
			status: "failed",
			sentence: `${[...packs, ...off].join("; ")}.`,
		};
	}
	if (arms.length === 0)
		return {
			...about,
			status: "not enough evidence",
			sentence: "No decision is booked yet.",
		};
	return {
		...about,
		status: "passed",
		sentence: `No pack is missing, and over ${freshness.decisions.toLocaleString("en-US")} booked decisions every arm was drawn as often as its propensities say.`,
	};
}

/** Of both groups and all epochs. */
function byArm(draws: readonly BookedDraws[]): ReadonlyMap<string, ArmDraws> {
	const sums = new Map<string, ArmDraws>();
	for (const { arm, drawn, expected, variance } of draws) {
		const sum = sums.get(arm) ?? { drawn: 0, expected: 0, variance: 0 };
		sums.set(arm, {
			drawn: sum.drawn + drawn,
			expected: sum.expected + expected,
			variance: sum.variance + variance,
		});
	}
	return sums;
}
