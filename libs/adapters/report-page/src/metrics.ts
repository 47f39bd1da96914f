import type { GroupMean, MetricSummary, Report } from "#core/report";
import { intervalsChart, sequenceChart } from "./chart.js";
import { difference, note, relative } from "./estimates.js";
import { html, type Markup } from "./markup.js";
import { number, percent, probability } from "./numbers.js";

export function liftSection(report: Report): Markup {
	const { lift, relativeLift, cohortLift, adjustedLift, plan, timeline } =
		report;
	const primary = report.metrics.find(({ role }) => role === "primary");
	const unit = primary?.unit ?? "";
	const { looks, marks } = timeline;
	return html`<section><h2>Policy against control</h2>
<table><tbody>
<tr><th>Lift of ${primary?.metric ?? "the primary metric"}</th><td>${difference(lift)}</td></tr>
<tr><th>Relative to control</th><td>${relativeOf({ lift, relativeLift })}</td></tr>
<tr><th>Each listener's first 7 days</th><td>${difference(cohortLift)}</td></tr>
<tr><th>Adjusted by the covariate</th><td>${difference(adjustedLift)}</td></tr>
<tr><th>p, no lift at any time so far</th><td>${probability(primary?.pValue ?? null)}${note("p-value")}</td></tr>
</tbody></table>
${
	plan === null
		? html`<p class="note">No plan was declared: metrics.primary names the metric, the smallest effect that matters and a planned size.</p>`
		: html`<p class="note">Planned before the start: ${number(plan.plannedUnits)} listeners, to find ${number(plan.smallestEffect)} ${plan.unit}; planned standard error ${number(plan.plannedStandardError)}, τ = ${number(plan.tau)}, α = ${number(plan.alpha)}.</p>`
}
${
	looks.length === 0
		? null
		: sequenceChart(
				"Lift over time with its always-valid sequence",
				looks,
				unit,
				marks.map(({ at, action }) => ({ at, label: action })),
			)
}
</section>`;
}

export function metricsSection({ metrics }: Report): Markup {
	return html`<section><h2>Metrics</h2><table>
<thead><tr><th>metric</th><th class="n">policy${note("ratio")}</th><th class="n">control${note("ratio")}</th><th>difference</th><th>relative</th></tr></thead>
<tbody>${metrics.map(
		(metric) => html`<tr>
<td>${metric.metric}${note(metric.footnote)} <span class="soft">${metric.role}, ${metric.unit}, ${metric.better} is better${metric.cap === null ? null : html`, each listener counts at most ${number(metric.cap)}`}</span></td>
<td class="n">${mean(metric.policy, metric)}</td>
<td class="n">${mean(metric.control, metric)}</td>
<td>${difference(metric.lift)}</td>
<td>${relativeOf(metric)}</td>
</tr>`,
	)}</tbody></table></section>`;
}

/** What keeps the difference back keeps this back too: once is enough to say it. */
function relativeOf({
	lift,
	relativeLift,
}: Pick<MetricSummary, "lift" | "relativeLift">): Markup {
	return lift.withheld !== null && lift.withheld === relativeLift.withheld
		? html`<span class="note">as the difference</span>${note(relativeLift.footnote)}`
		: relative(relativeLift);
}

function mean(group: GroupMean, { unit }: MetricSummary): Markup {
	const value = unit === "share" ? percent(group.mean) : number(group.mean);
	return html`${value}<br><span class="soft">${number(group.units)} listeners${group.mean === null ? null : html`, total ${number(group.sum)}`}</span>`;
}

export function segmentsSection({ segments }: Report): Markup | null {
	if (segments.length === 0) return null;
	const shown = segments.flatMap(({ segment, level, lift }) =>
		lift.estimate === null || lift.low === null || lift.high === null
			? []
			: [
					{
						label: `${segment}: ${level}`,
						estimate: lift.estimate,
						low: lift.low,
						high: lift.high,
					},
				],
	);
	return html`<section><h2>Segments, declared before the start</h2>
${shown.length === 0 ? null : intervalsChart("Lift by segment", shown, "difference", 0)}
<table><thead><tr><th>segment</th><th class="n">policy${note("ratio")}</th><th class="n">control${note("ratio")}</th><th>difference</th></tr></thead>
<tbody>${segments.map(
		({ segment, level, policy, control, lift }) => html`<tr>
<td>${segment}: ${level}</td>
<td class="n">${number(policy.mean)}<br><span class="soft">${number(policy.units)} listeners</span></td>
<td class="n">${number(control.mean)}<br><span class="soft">${number(control.units)} listeners</span></td>
<td>${difference(lift)}</td>
</tr>`,
	)}</tbody></table></section>`;
}
