import type { HealthSentence, Report } from "#core/report";
import { note } from "./estimates.js";
import { html, type Markup } from "./markup.js";
import { instant, number, percent, probability } from "./numbers.js";

export function guardrailsSection({ guardrails }: Report): Markup | null {
	if (guardrails.length === 0) return null;
	return html`<section><h2>Guardrails</h2><table>
<thead><tr><th>metric</th><th>limit</th><th>status</th><th class="n">now</th><th>what it says</th></tr></thead>
<tbody>${guardrails.map(
		({ metric, limit, action, status, estimate, sentence }) => html`<tr>
<td>${metric}</td><td>${limit}, else ${action}</td><td class="${status}">${status}</td><td class="n">${number(estimate)}</td><td>${sentence}${note("guardrail")}</td>
</tr>`,
	)}</tbody></table></section>`;
}

export function checksSection({ checks }: Report): Markup {
	return html`<section><h2>Can these numbers be trusted?</h2><table>
<thead><tr><th>check</th><th>status</th><th class="n">p</th><th>what it says</th></tr></thead>
<tbody>${checks.map(
		({ check, status, pValue, sentence, covers, footnote }) => html`<tr>
<td>${check}</td><td class="${status}">${status}</td><td class="n">${probability(pValue)}</td>
<td>${sentence}${status === "failed" && covers.length > 0 ? html` Do not read: ${covers.join(", ")}.` : null}${note(footnote)}</td>
</tr>`,
	)}</tbody></table></section>`;
}

export function healthSection({ health }: Report): Markup {
	const sentence = (name: HealthSentence["of"]) =>
		health.sentences.find(({ of }) => of === name)?.sentence ?? null;
	const shares = (of: { readonly [name: string]: number }) =>
		Object.entries(of)
			.map(([name, share]) => `${name} ${percent(share)}`)
			.join(", ");
	const rows: readonly (readonly [string, string, string | null])[] = [
		["Exploration left", percent(health.exploration), sentence("exploration")],
		[
			"Effective sample size",
			number(health.effectiveSampleSize),
			sentence("effective sample size"),
		],
		[
			"Missing features",
			health.missing === null ? "–" : shares(health.missing) || "none",
			sentence("missing features"),
		],
		["Degraded share", percent(health.degraded.share), sentence("degraded")],
		["Late events", number(health.lateEvents), sentence("late events")],
		[
			"Rows in no arm's value",
			number(health.unbooked),
			"They came or changed after those around them were counted.",
		],
		[
			"Dead letters",
			number(health.deadLetters),
			"Messages of the whole installation that could not be understood.",
		],
		[
			"Waiting events",
			number(health.waitingEvents),
			"Of the whole installation: their decision has not come yet.",
		],
	];
	return html`<section><h2>Health${note("health")}</h2><table>
<thead><tr><th>what</th><th class="n">now</th><th>what it says</th></tr></thead>
<tbody>${rows.map(
		([name, value, said]) =>
			html`<tr><th>${name}</th><td class="n">${value}</td><td>${said}</td></tr>`,
	)}</tbody></table></section>`;
}

export function marksSection({ timeline }: Report): Markup | null {
	if (timeline.marks.length === 0) return null;
	return html`<section><h2>What was done</h2><table>
<thead><tr><th>when</th><th>who</th><th>what</th></tr></thead>
<tbody>${timeline.marks.map(
		({ at, actor, action, sentence }) =>
			html`<tr><td>${instant(at)}</td><td>${actor}</td><td>${action}${sentence === "" ? null : html`: ${sentence}`}</td></tr>`,
	)}</tbody></table></section>`;
}

export function notesSection({ notes }: Report): Markup | null {
	if (notes.length === 0) return null;
	return html`<section><h2>To read it rightly</h2><ul>${notes.map((text) => html`<li>${text}</li>`)}</ul></section>`;
}

export function footnotesSection({ footnotes }: Report): Markup {
	return html`<section><h2>How each number is computed</h2><ol class="footnotes">${footnotes.map(
		({ id, title, formula, reference, assumptions }) =>
			html`<li id="note-${id}"><strong>${title}.</strong> <code>${formula}</code> ${reference} <em>Assumes:</em> ${assumptions}</li>`,
	)}</ol></section>`;
}
