import type { Report } from "#core/report";
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
	const rows: readonly [string, string][] = [
		[
			"Exploration left: the least share of decisions of any active arm",
			percent(health.exploration),
		],
		...Object.entries(health.missing).map(
			([feature, share]): [string, string] => [
				`Decisions without ${feature}`,
				percent(share),
			],
		),
		["Late events", number(health.lateEvents)],
		["Rows that came too late for the arms' values", number(health.unbooked)],
		["Messages that could not be understood", number(health.deadLetters)],
		["Events that wait for their decision", number(health.waitingEvents)],
	];
	return html`<section><h2>Health</h2><table><tbody>${rows.map(
		([name, value]) =>
			html`<tr><th>${name}</th><td class="n">${value}</td></tr>`,
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
