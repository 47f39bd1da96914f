import type { DecisionRow } from "#core/log";
import { CORE_VERSION } from "#core/policy";

/** Why a logged decision cannot be derived again, each in a sentence that names what would help; null where it is none of these. */

export function notOurs({ origin, coreVersion }: DecisionRow): string | null {
	if (origin !== "server")
		return `Decisions of origin ${origin} were not made by this installation, so there is nothing here to derive them from.`;
	if (coreVersion !== CORE_VERSION)
		return `It was made by core ${coreVersion}; this Segue has core ${CORE_VERSION}, whose numbers may differ in their last bits. A Segue with core ${coreVersion} can derive it.`;
	return null;
}

export function noDefinition({ definitionId }: DecisionRow): string {
	return `The definition row ${definitionId} that it was made under is not in this database: was a backup restored?`;
}

/** At revision 0 nothing was learned, whatever was erased since. */
export function belowFloor(
	{ experiment, revision }: DecisionRow,
	floor: number,
): string | null {
	return revision > 0 && revision < floor
		? `Something that revision ${revision} of ${experiment} was made of has been erased or dropped since: decisions of revision ${floor} or later can be derived again.`
		: null;
}

export function beyondNewest(
	{ experiment, revision }: DecisionRow,
	newest: number,
): string | null {
	return revision > newest
		? `It was made with revision ${revision} of ${experiment}, but this database has only come to ${newest}: was a backup restored?`
		: null;
}

export function tooLong({ id, experiment, revision }: DecisionRow): string {
	return `Revision ${revision} of ${experiment} lies so far back that its sums take long to recover. \`segue explain ${id}\` on the command line takes the time.`;
}
