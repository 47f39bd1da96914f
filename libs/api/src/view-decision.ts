import {
	type LedgerEvent,
	type StoredDecision,
	whyMissing,
} from "#usecases/deciding";

/**
 * A logged decision as the API shows it, with all that proof needs. `arms` has every eligible arm with its mean and its probability
 * in the distribution the arm was drawn from; where that was not the policy's own, `policyPropensity` is the policy's.
 */
export function viewDecision(
	{ row, learned, events }: StoredDecision,
	armKeys: readonly string[] | null,
) {
	const {
		id,
		group,
		x,
		eligible,
		means,
		propensities,
		policyPropensities,
		decidedAt,
		excluded,
		...rest
	} = row;
	return {
		decisionId: id,
		...rest,
		group,
		decidedAt: iso(decidedAt),
		x: [...x],
		/** By name, of each that is missing. */
		whyMissing: whyMissing(row),
		arms: eligible.map((index, place) => ({
			/** Place in the definition; the key is null where the definition cannot be read now. */
			index,
			arm: armKeys?.[index] ?? null,
			mean: means[place] ?? null,
			propensity: propensities[place] ?? null,
			policyPropensity: (policyPropensities ?? propensities)[place] ?? null,
		})),
		excluded,
		/** What it has taught and moved by itself; null until the learner has stored the decision. */
		learned: learned && {
			...learned,
			...(learned.closing && {
				closing: { ...learned.closing, at: iso(learned.closing.at) },
			}),
		},
		exposed: learned?.exposed ?? null,
		reward: learned?.reward ?? null,
		events: viewEvents(events),
	};
}

/** Events that name a decision as the API shows them, each with what became of it. */
export function viewEvents(events: readonly LedgerEvent[]) {
	return events.map((event) => ({
		...event,
		...("at" in event && { at: iso(event.at) }),
		storedAt: iso(event.storedAt),
	}));
}

function iso(time: number): string {
	return new Date(time).toISOString();
}
