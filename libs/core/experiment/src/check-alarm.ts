import type { Problem } from "./experiment.js";
import type { ValueDocument } from "./feature-document.js";

/** What is wrong with the thresholds from which on a feature's health alarms: those that nothing is measured against. */
export function alarmProblems(feature: ValueDocument, path: string): Problem[] {
	const { alarm, kind } = feature;
	if (alarm === undefined) return [];
	const problems: Problem[] = [];
	if (alarm.unseen !== undefined && kind !== "category")
		problems.push({
			path: `${path}.alarm.unseen`,
			message: `Only a category has levels that can be unseen, not a feature of kind ${kind}: leave unseen out.`,
		});
	const isOpen =
		kind === "attribute" &&
		feature.type !== "number" &&
		(feature.values ?? []).length === 0;
	if (alarm.psi !== undefined && isOpen)
		problems.push({
			path: `${path}.alarm.psi`,
			message:
				"Texts that the definition does not list have no bins to compare: list them under values, or leave psi out.",
		});
	return problems;
}
