import type { Report } from "#core/report";
import { intervalsChart, sharesChart } from "./chart.js";
import { level, note } from "./estimates.js";
import { html, type Markup } from "./markup.js";
import { number, percent } from "./numbers.js";

/** More arms than this make one axis unreadable: the others are in the table. */
const MOST_INTERVALS = 40;
const MOST_NAMES = 8;
const MOST_COLUMNS = 6;
const MOST_REASONS = 20;

export function armsSection({ armValues }: Report): Markup {
	const shown = armValues
		.flatMap(({ arm, value: { estimate, low, high } }) =>
			estimate === null || low === null || high === null
				? []
				: [{ label: arm, estimate, low, high }],
		)
		.sort((a, b) => b.estimate - a.estimate)
		.slice(0, MOST_INTERVALS);
	return html`<section><h2>What each arm is worth</h2>
<p class="note">The weighted average, over the decisions seen so far, of the reward had that arm been shown.</p>
${shown.length === 0 ? null : intervalsChart("Values of arms on one axis", shown, "reward", null)}
<table><thead><tr><th>arm</th><th class="n">policy</th><th class="n">control</th><th class="n">shown</th><th>value</th></tr></thead>
<tbody>${armValues.map(
		({
			arm,
			retired,
			policyDecisions,
			policyShare,
			controlDecisions,
			impressionRate,
			value,
		}) => html`<tr>
<td>${arm}${retired ? html` <span class="soft">no longer in the definition</span>` : null}</td>
<td class="n">${number(policyDecisions)}<br><span class="soft">${percent(policyShare)}</span></td>
<td class="n">${number(controlDecisions)}</td>
<td class="n">${percent(impressionRate)}</td>
<td>${level(value)}</td>
</tr>`,
	)}</tbody></table></section>`;
}

/** Declared metrics of each arm, the arms below each other. */
export function armMetricsSection({ metricsByArm }: Report): Markup | null {
	const shown = metricsByArm
		.filter(({ role }) => role !== "exploratory")
		.slice(0, MOST_COLUMNS);
	const arms = shown[0]?.arms ?? [];
	if (arms.length === 0) return null;
	const reasons = new Set(
		shown.flatMap(({ metric, arms }) =>
			arms.flatMap(({ arm, withheld }) =>
				withheld === null ? [] : [`${metric} of ${arm}: ${withheld}`],
			),
		),
	);
	return html`<section><h2>Metrics by arm</h2>
<p class="note">Among control's decisions, whose arms are drawn uniformly: the policy gives an arm to whom it suits.${note("ratio")}</p>
<table><thead><tr><th>arm</th>${shown.map(({ metric }) => html`<th class="n">${metric}</th>`)}</tr></thead>
<tbody>${arms.map(
		({ arm }, i) =>
			html`<tr><td>${arm}</td>${shown.map(({ arms }) => html`<td class="n">${number(arms[i]?.mean ?? null)}</td>`)}</tr>`,
	)}</tbody></table>
${reasons.size === 0 ? null : html`<ul class="note">${[...reasons].slice(0, MOST_REASONS).map((reason) => html`<li>${reason}</li>`)}</ul>`}</section>`;
}

/** The arms with most decisions by name, all others together. */
export function trafficSection({ timeline }: Report): Markup | null {
	const { traffic, marks } = timeline;
	if (traffic.length === 0) return null;
	const totals = new Map<string, number>();
	for (const { decisions } of traffic)
		for (const [arm, count] of Object.entries(decisions))
			totals.set(arm, (totals.get(arm) ?? 0) + count);
	const ranked = [...totals].sort((a, b) => b[1] - a[1]).map(([arm]) => arm);
	const named = ranked.slice(0, MOST_NAMES - 1);
	const hasOthers = ranked.length > named.length;
	const spans = traffic.flatMap(({ at, decisions }) => {
		const total = Object.values(decisions).reduce((sum, n) => sum + n, 0);
		if (total === 0) return [];
		const shares = named.map((arm) => (decisions[arm] ?? 0) / total);
		const rest = 1 - shares.reduce((sum, share) => sum + share, 0);
		return [{ at, shares: hasOthers ? [...shares, rest] : shares }];
	});
	if (spans.length === 0) return null;
	return html`<section><h2>Traffic over time</h2>
${sharesChart(
	"Share of the policy's decisions by arm",
	hasOthers ? [...named, "all others"] : named,
	spans,
	marks.map(({ at, action }) => ({ at, label: action })),
)}</section>`;
}
