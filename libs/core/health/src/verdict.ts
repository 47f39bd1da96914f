import type { FeatureHealth } from "./feature-health.js";
import { LARGE_DRIFT, MODERATE_DRIFT } from "./stability-index.js";

/** How many values drift was, or would be, measured from. */
interface Enough {
	readonly launch: number;
	readonly now: number;
	/** Values that now must have. */
	readonly needed: number;
	/** Whether values of this kind can be compared at all. */
	readonly comparable: boolean;
	/** Whether launch had enough of them. */
	readonly hasBins: boolean;
}

/** What a product manager reads of a feature: what is wrong with it, or that nothing is. Null `enough`: launch is not over. */
export function verdictOf(
	health: Omit<FeatureHealth, "verdict">,
	enough: Enough | null,
	decisions: number,
): string {
	if (enough === null)
		return "Not told yet: the launch that later decisions are held against is not complete.";
	if (decisions === 0) return "Not told: no decisions in this time.";
	const wrong = wrongs(health);
	const drift = driftSentence(health, enough);
	return wrong.length === 0 ? drift : `${wrong.join(" ")} ${drift}`;
}

function wrongs({
	missing,
	unseen,
	skew,
	alarms,
	thresholds,
}: Omit<FeatureHealth, "verdict">): string[] {
	const said: string[] = [];
	if (alarms.includes("skew"))
		said.push(
			`Broken: x made again from the log differs in ${percent(skew.share)} of the decisions checked, by up to ${round(skew.largest)}, so what is learned is not what is served.`,
		);
	if (alarms.includes("missing"))
		said.push(
			`Missing in ${percent(missing.share)} of decisions (${percent(missing.launchShare)} at launch), more than the ${percent(thresholds.missing)} allowed, ${mostly(missing.reasons)}.`,
		);
	if (alarms.includes("unseen"))
		said.push(
			`${percent(unseen?.share ?? 0)} of its values are levels that the definition does not list, more than the ${percent(thresholds.unseen)} allowed: nothing can be learned from them.`,
		);
	return said;
}

function driftSentence(
	{ psi, kind, alarms, thresholds, missing }: Omit<FeatureHealth, "verdict">,
	{ launch, now, needed, comparable, hasBins }: Enough,
): string {
	if (!comparable)
		return kind === "product"
			? "Made of two features: see their drift."
			: alarms.length > 0
				? "Its texts are not listed, so there is no drift to measure."
				: `Missing in ${percent(missing.share)} of decisions; its texts are not listed, so there is no drift to measure.`;
	if (!hasBins)
		return `Drift cannot be told: only ${launch} decisions of the launch had a value.`;
	if (psi === null)
		return `Drift is not told yet: ${now} values of the ${needed} it takes.`;
	const measured = `(PSI ${round(psi)})`;
	const allowed = alarms.includes("psi")
		? `, more than the ${round(thresholds.psi)} allowed`
		: "";
	if (psi < MODERATE_DRIFT)
		return `Much as it was at launch ${measured}${allowed}.`;
	return psi < LARGE_DRIFT
		? `Has moved somewhat since launch ${measured}${allowed}.`
		: `Is no longer what it was at launch ${measured}${allowed}: what was learned then may not hold now.`;
}

function mostly(reasons: FeatureHealth["missing"]["reasons"]): string {
	const [first] = Object.entries(reasons).sort(([, a], [, b]) => b - a);
	return first === undefined ? "" : `mostly ${first[0]}`;
}

function percent(share: number | null): string {
	return `${Number(((share ?? 0) * 100).toFixed(1))} %`;
}

function round(value: number): string {
	return String(Number(value.toPrecision(3)));
}
