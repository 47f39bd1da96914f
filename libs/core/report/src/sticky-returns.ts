import type { BookedCounts, BookedMoments } from "#core/booking";
import type { ReportInput } from "./report.js";

const NONE: BookedMoments = { units: 0, n: 0, c: 0, nn: 0, nc: 0, cc: 0 };

/**
 * Why nobody can tell who came back; null where it can be told. A return is a later decision, and a unit whose decision stands for 90 days
 * makes none: 0 would be counted of everyone, whatever they did.
 */
export function whyNoReturns({
	definition: { experiment },
	atStart,
}: Pick<ReportInput, "definition" | "atStart">): string | null {
	return experiment.sticky === "unit" || atStart.sticky === "unit"
		? "with sticky: unit a listener who comes back is given the decision that stands, and no new one by which it could be told: send an event of your own when a listener comes back, with its decisionId, and define a metric of it"
		: null;
}

/** Without what is counted of returns, so that nothing is made of it. */
export function withoutReturns(booked: BookedCounts): BookedCounts {
	const left = <T extends { readonly moments: readonly BookedMoments[] }>(
		of: T,
	): T => ({
		...of,
		moments: of.moments.map((moments, i) =>
			booked.metrics[i]?.per === "closed unit" ? NONE : moments,
		),
	});
	return {
		...booked,
		epochs: booked.epochs.map((epoch) => ({
			...epoch,
			slices: epoch.slices.map(left),
		})),
		looks: booked.looks.map(left),
	};
}
