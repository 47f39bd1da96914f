import { ANY_INCREASE, stat, timeseries } from "./panels.js";

const WINDOW = "[$__rate_interval]";

/** What guardrails did, whether they watch, and whether anybody was told. */
export function guardrailPanels() {
	return [
		timeseries({
			title: "Guardrails that acted",
			description:
				"By experiment and action. Alarm on anything but zero, to who owns the experiment: GET /v1/experiments/KEY/guardrails says what was seen.",
			unit: "short",
			span: 8,
			alarmFrom: ANY_INCREASE,
			queries: [
				{
					expr: `sum by (experiment, action) (increase(segue_guardrail_trips_total{experiment=~"$experiment"}${WINDOW})) > 0`,
					legend: "{{experiment}} {{action}}",
				},
			],
		}),
		timeseries({
			title: "Looks at guardrails per second",
			description:
				"One for each running experiment with guardrails and each learner. Alarm where current stays at zero while such experiments run: nothing guards them.",
			unit: "short",
			span: 8,
			queries: [
				{
					expr: `sum by (outcome) (rate(segue_guardrail_looks_total${WINDOW}))`,
					legend: "{{outcome}}",
				},
			],
		}),
		timeseries({
			title: "Webhooks",
			description:
				"Messages that wait, and attempts that failed or were the last. Alarm on one that waits for longer than a receiver takes to restart.",
			unit: "short",
			span: 8,
			alarmFrom: 1,
			queries: [
				{ expr: "max(segue_webhooks_waiting)", legend: "waiting" },
				{
					expr: `sum by (outcome) (rate(segue_webhooks_total{outcome!="delivered"}${WINDOW}))`,
					legend: "{{outcome}}",
				},
			],
		}),
		stat({
			title: "Failed looks at guardrails",
			description:
				"In the last quarter of an hour. Alarm on anything but zero: what the learners' log names was not guarded then.",
			unit: "short",
			span: 12,
			alarmFrom: ANY_INCREASE,
			queries: [
				{
					expr: 'sum (increase(segue_guardrail_looks_total{outcome="failed"}[15m]))',
					legend: "looks",
				},
			],
		}),
		stat({
			title: "Webhooks given up",
			description:
				"In the last day: nobody was told. Alarm on anything but zero.",
			unit: "short",
			span: 12,
			alarmFrom: ANY_INCREASE,
			queries: [
				{
					expr: 'sum (increase(segue_webhooks_total{outcome="given up"}[1d]))',
					legend: "messages",
				},
			],
		}),
	];
}
