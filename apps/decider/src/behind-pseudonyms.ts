import type { ApiParts } from "#api";
import { type Event, timeOfId } from "#core/log";
import type { DecisionRequest } from "#usecases/deciding";
import type { FormerNames, Pseudonyms } from "#usecases/pseudonymising";

/** The calls that name a unit, but for those that go by its events' time or by all its names. */
type Calls = Pick<
	ApiParts,
	"decide" | "putProfile" | "getProfile" | "putConsent" | "getConsent"
>;

/**
 * The same use cases, told of units by their pseudonyms: nothing behind them knows what clients call a unit. Former names are remembered
 * for what is looked up by unit. Themselves where there are no pseudonyms.
 */
export function behindPseudonyms(
	calls: Calls,
	pseudonyms: Pseudonyms | null,
	former: FormerNames,
	clock: { now(): number },
): Calls {
	if (pseudonyms === null) return calls;
	const namesOf = (unit: string): readonly string[] => {
		const names = pseudonyms.upTo(unit, clock.now());
		former.remember(names);
		return names;
	};
	const nameOf = (unit: string): string => namesOf(unit)[0] ?? unit;
	return {
		decide: {
			execute: (request: DecisionRequest, ...more) =>
				calls.decide.execute(
					{ ...request, unit: nameOf(request.unit) },
					...more,
				),
		},
		putProfile: {
			execute: (unit, body) => calls.putProfile.execute(nameOf(unit), body),
		},
		getProfile: {
			execute: (unit) => calls.getProfile.execute(nameOf(unit)),
		},
		putConsent: {
			async execute(unit, body) {
				const [name = unit, ...formerly] = namesOf(unit);
				const kept = await calls.putConsent.execute(name, body);
				// Its profile may lie under a former name, with values that it no longer allows.
				for (const other of formerly)
					await calls.putConsent.execute(other, body);
				return kept;
			},
		},
		getConsent: {
			execute: (unit) => calls.getConsent.execute(nameOf(unit)),
		},
	};
}

/**
 * What an event's unit is called: as the decision that it names was told, since an outcome belongs to its decision's unit; else as of its
 * own time, so that an event sent again is the same event.
 */
export function eventUnit(pseudonyms: Pseudonyms): (event: Event) => string {
	return ({ unit, at, decisionId }) =>
		pseudonyms.at(unit, decisionId === undefined ? at : timeOfId(decisionId));
}
