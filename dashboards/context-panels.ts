import { timeseries } from "./panels.js";

const OF_EXPERIMENT = '{experiment=~"$experiment"}';
const LEGEND = "{{experiment}} {{feature}}";

/** Every learner says the same, so one of them is enough. */
function perFeature(metric: string): string {
	return `max by (experiment, feature) (${metric}${OF_EXPERIMENT})`;
}

/** The health of contexts, feature by feature, over the last 24 hours. */
export function contextPanels() {
	return [
		timeseries({
			title: "Drift since launch",
			description:
				"Population stability index of each feature, the last 24 hours against the run's first 1,000 decisions. Below 0.1 as it was, from 0.25 on another population: what was learned may not hold.",
			unit: "short",
			span: 12,
			queries: [{ expr: perFeature("segue_context_psi"), legend: LEGEND }],
		}),
		timeseries({
			title: "Features without a value",
			description:
				"Share of decisions, by reason: absent, no consent, over budget or out of date. A rise is mostly a client's release, or a database that is slow.",
			unit: "percentunit",
			span: 12,
			max: 1,
			queries: [
				{
					expr: `max by (experiment, feature, reason) (segue_context_missing_share${OF_EXPERIMENT}) > 0`,
					legend: `${LEGEND} {{reason}}`,
				},
			],
		}),
		timeseries({
			title: "Levels nobody declared",
			description:
				"Share of a category's values that the definition does not list. Nothing is learned from them; GET /v1/experiments/KEY/context names the most frequent.",
			unit: "percentunit",
			span: 8,
			max: 1,
			queries: [
				{ expr: perFeature("segue_context_unseen_share"), legend: LEGEND },
			],
		}),
		timeseries({
			title: "Train/serve skew",
			description:
				"Share of the decisions checked whose x, made again from the log, differs from the logged one. Anything but zero is a defect.",
			unit: "percentunit",
			span: 8,
			max: 1,
			queries: [
				{ expr: perFeature("segue_context_skew_share"), legend: LEGEND },
				{
					expr: `${perFeature("segue_context_skew_largest")} > 0`,
					legend: `${LEGEND} largest`,
				},
			],
		}),
		timeseries({
			title: "Context alarms",
			description:
				"Features beyond a threshold of their definition. Alarm on anything but zero; the runbook says what to do.",
			unit: "short",
			span: 8,
			alarmFrom: 1,
			queries: [
				{
					expr: `max by (experiment, feature, kind) (segue_context_alarm${OF_EXPERIMENT}) > 0`,
					legend: `${LEGEND} {{kind}}`,
				},
			],
		}),
	];
}
