import {
	type Dashboard,
	DashboardBuilder,
	DatasourceVariableBuilder,
	QueryVariableBuilder,
	RowBuilder,
	VariableRefresh,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { bookingPanels } from "./booking-panels.js";
import { contextPanels } from "./context-panels.js";
import { guardrailPanels } from "./guardrail-panels.js";
import { ANY_INCREASE, DATASOURCE, stat, timeseries } from "./panels.js";

const OF_EXPERIMENT = '{experiment=~"$experiment"}';
const WINDOW = "[$__rate_interval]";

/** `rate` of a counter, summed by labels (none: over everything). */
function rate(metric: string, by = ""): string {
	return `sum${by && ` by (${by})`} (rate(${metric}${WINDOW}))`;
}

/** Per arm, of a counter of two directions: what came less what was taken back. */
function net(metric: string): string {
	const going = (direction: string) =>
		rate(
			`${metric}{experiment=~"$experiment", direction="${direction}"}`,
			"experiment, arm",
		);
	return `(${going("up")} - ${going("down")})`;
}

/** p50, p95 and p99 of a histogram. */
function quantiles(histogram: string) {
	return [0.5, 0.95, 0.99].map((q) => ({
		expr: `histogram_quantile(${q}, ${rate(`${histogram}_bucket`, "le")})`,
		legend: `p${q * 100}`,
	}));
}

/** The one dashboard: is it up and fast, is it learning, what does it choose, and from what. */
export function segueDashboard(): Dashboard {
	const dashboard = new DashboardBuilder("Segue")
		.uid("segue")
		.description("Decisions, learning and rewards of Segue.")
		.tags(["segue"])
		.timezone("browser")
		.time({ from: "now-30m", to: "now" })
		.refresh("10s")
		.withVariable(
			new DatasourceVariableBuilder("datasource")
				.label("Data source")
				.type("prometheus"),
		)
		.withVariable(
			new QueryVariableBuilder("experiment")
				.label("Experiment")
				.datasource(DATASOURCE)
				.query("label_values(segue_decisions_total, experiment)")
				.refresh(VariableRefresh.OnTimeRangeChanged)
				.multi(true)
				.includeAll(true)
				.allValue(".*"),
		)
		.withRow(new RowBuilder("Deciding"))
		.withPanel(
			timeseries({
				title: "Decisions per second",
				description:
					"By group. Nothing at all: clients are gone, or the decider is.",
				unit: "reqps",
				span: 8,
				stacked: true,
				queries: [
					{
						expr: rate(
							`segue_decisions_total${OF_EXPERIMENT}`,
							"experiment, group",
						),
						legend: "{{experiment}} {{group}}",
					},
				],
			}),
		)
		.withPanel(
			timeseries({
				title: "Time to decide",
				description:
					"Of answered decisions. SEGUE_DECIDE_DEADLINE_MS bounds it.",
				unit: "s",
				span: 8,
				queries: quantiles("segue_decision_duration_seconds"),
			}),
		)
		.withPanel(
			timeseries({
				title: "Degraded decisions per second",
				description:
					"Answered, but with a part missing: the reason says which. Zero is normal.",
				unit: "reqps",
				span: 8,
				queries: [
					{
						expr: rate(
							`segue_degraded_total${OF_EXPERIMENT}`,
							"experiment, reason",
						),
						legend: "{{experiment}} {{reason}}",
					},
				],
			}),
		)
		.withPanel(
			stat({
				title: "Definitions not read",
				description:
					"Rows of the database that a running process could not read: it leaves those experiments out. Alarm on anything but zero.",
				unit: "short",
				span: 24,
				alarmFrom: 1,
				queries: [
					{
						// Told once a process, so an increase would show nothing. Not by the experiment chosen: these have no decisions to choose it by.
						expr: "max by (experiment) (segue_unreadable_definitions_total)",
						legend: "{{experiment}}",
					},
				],
			}),
		)
		.withRow(new RowBuilder("Events and learning"))
		.withPanel(
			timeseries({
				title: "Events per second",
				description: "By what became of them at the door.",
				unit: "reqps",
				span: 8,
				stacked: true,
				queries: [
					{
						expr: rate("segue_events_total", "outcome"),
						legend: "{{outcome}}",
					},
				],
			}),
		)
		.withPanel(
			timeseries({
				title: "Learner lag",
				description:
					"Messages of the stream not yet learned. It should return to near zero; a rise that lasts needs another learner.",
				unit: "short",
				span: 8,
				queries: [
					{ expr: "max (segue_learner_backlog_messages)", legend: "messages" },
				],
			}),
		)
		.withPanel(
			timeseries({
				title: "Learned within",
				description:
					"From an outcome's arrival in the stream to the commit that learned it.",
				unit: "s",
				span: 8,
				queries: quantiles("segue_learned_within_seconds"),
			}),
		)
		.withPanel(
			stat({
				title: "Spool entries",
				description:
					"Decisions and events kept on disk while the stream is away. Zero is normal.",
				unit: "short",
				span: 6,
				queries: [{ expr: "sum (segue_spool_entries)", legend: "entries" }],
			}),
		)
		.withPanel(
			stat({
				title: "Spool size",
				description:
					"When it reaches its bound, decisions are answered with 503.",
				unit: "bytes",
				span: 6,
				queries: [{ expr: "sum (segue_spool_bytes)", legend: "bytes" }],
			}),
		)
		.withPanel(
			timeseries({
				title: "Dead letters per second",
				description:
					"Messages that could not be understood, by reason. `segue dead-letters list` shows them.",
				unit: "reqps",
				span: 12,
				queries: [
					{
						expr: rate("segue_dead_letters_total", "reason"),
						legend: "{{reason}}",
					},
				],
			}),
		)
		.withPanel(
			stat({
				title: "Dead letters that wait",
				description:
					"Not published again yet. `segue dead-letters list` shows them, `segue dead-letters redrive` publishes them.",
				unit: "short",
				span: 6,
				queries: [
					{ expr: "max (segue_dead_letters_waiting)", legend: "letters" },
				],
			}),
		)
		.withPanel(
			stat({
				title: "Packs missing",
				description:
					"Published by a decider and overdue at the learners. Zero is normal; alarm on anything else that lasts longer than a spool takes to drain.",
				unit: "short",
				span: 6,
				alarmFrom: 1,
				queries: [{ expr: "max (segue_published_missing)", legend: "packs" }],
			}),
		)
		.withPanel(
			stat({
				title: "Stream changed",
				description:
					"Times in the last day that the broker came back with another or an older stream. Alarm on anything but zero.",
				unit: "short",
				span: 6,
				alarmFrom: ANY_INCREASE,
				queries: [
					{
						expr: "sum (increase(segue_stream_identity_changed_total[1d]))",
						legend: "changes",
					},
				],
			}),
		)
		.withPanel(
			stat({
				title: "Stream cut early",
				description:
					"Times in the last day that learners dropped messages that live windows may still look back at, since the stream was nearly full. Alarm on anything but zero: raise the stream's max_bytes.",
				unit: "short",
				span: 6,
				alarmFrom: ANY_INCREASE,
				queries: [
					{
						expr: "sum (increase(segue_stream_cut_early_total[1d]))",
						legend: "cuts",
					},
				],
			}),
		)
		.withRow(new RowBuilder("What it chooses, and what that earns"))
		.withPanel(
			timeseries({
				title: "Share per arm",
				description: "Of the decisions of the policy group.",
				unit: "percentunit",
				span: 12,
				stacked: true,
				max: 1,
				queries: [
					{
						expr: `${rate('segue_decisions_total{experiment=~"$experiment", group="policy"}', "experiment, arm")} / on (experiment) group_left () ${rate('segue_decisions_total{experiment=~"$experiment", group="policy"}', "experiment")}`,
						legend: "{{experiment}} {{arm}}",
					},
				],
			}),
		)
		.withPanel(
			timeseries({
				title: "Reward per arm",
				description:
					"Mean reward of what was learned, all groups together. The report, not this, compares groups.",
				unit: "short",
				span: 12,
				queries: [
					{
						expr: `${net("segue_reward_sum_total")} / ${net("segue_reward_count_total")}`,
						legend: "{{experiment}} {{arm}}",
					},
				],
			}),
		);
	dashboard.withRow(new RowBuilder("What reports are made of"));
	for (const panel of bookingPanels()) dashboard.withPanel(panel);
	dashboard.withRow(new RowBuilder("What it decides from"));
	for (const panel of contextPanels()) dashboard.withPanel(panel);
	dashboard.withRow(new RowBuilder("Guardrails"));
	for (const panel of guardrailPanels()) dashboard.withPanel(panel);
	return dashboard.build();
}
