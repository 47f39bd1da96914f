import type { BookedCounts, Side } from "#core/booking";
import { sampleRatioP } from "#core/statistics";
import type { CheckSummary } from "./checks.js";

/** Spread of the Dirichlet in units: leaks of a percent are found among millions (Lindon, Malek 2022). */
const ALPHA0 = 1e5;
const ALARM = 0.001;

/** Whether units fell into the groups as the split says, epoch by epoch, counted where they were first. */
export function checkSampleRatio(
	{ epochs, looks }: BookedCounts,
	/** Share of control by epoch. */
	controlOf: ReadonlyMap<number, number>,
): CheckSummary {
	const tested = epochs.flatMap(({ epoch, firstIn }) => {
		const control = controlOf.get(epoch) ?? 0;
		if (control <= 0 || control >= 1) return [];
		const counts = [...countsAtLooks(looks, epoch), pair(firstIn)];
		const p = counts.reduce(
			(before, look) =>
				sampleRatioP(before, look, [1 - control, control], ALPHA0),
			1,
		);
		return [{ firstIn, control, p }];
	});
	const about = {
		check: "sample ratio",
		covers: ["lift", "segments", "metrics"],
		footnote: "sample-ratio",
	} as const;
	if (tested.length === 0)
		return {
			...about,
			status: "not enough evidence",
			pValue: null,
			sentence: "There is one group only, so there is no ratio.",
		};
	// As many tests as epochs.
	const pValue = Math.min(
		1,
		tested.length * Math.min(...tested.map(({ p }) => p)),
	);
	const told = tested.map(
		({ firstIn: { policy, control }, control: share }) =>
			`${policy.toLocaleString("en-US")} listeners came first to the policy group and ${control.toLocaleString("en-US")} to control, whose planned share is ${share}`,
	);
	return {
		...about,
		status: pValue < ALARM ? "failed" : "passed",
		pValue,
		sentence: `${told.join("; ")}.`,
	};
}

function countsAtLooks(
	looks: BookedCounts["looks"],
	epoch: number,
): readonly (readonly [number, number])[] {
	const byTime = new Map<number, [number, number]>();
	for (const look of looks) {
		if (look.epoch !== epoch) continue;
		const counts = byTime.get(look.at) ?? [0, 0];
		counts[look.group === "policy" ? 0 : 1] = look.firstIn;
		byTime.set(look.at, counts);
	}
	return [...byTime.values()];
}

function pair({
	policy,
	control,
}: {
	readonly [side in Side]: number;
}): readonly [number, number] {
	return [policy, control];
}
