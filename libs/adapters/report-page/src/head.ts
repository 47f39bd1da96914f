import type { Report, Verdict } from "#core/report";
import { html, type Markup } from "./markup.js";
import { instant, number } from "./numbers.js";

const TONE: { readonly [verdict in Verdict]: string } = {
	ship: "good",
	"keep going": "",
	"cannot tell": "",
	stop: "bad",
	"do not trust": "bad",
};

export function headSection(report: Report): Markup {
	const { name, experiment, version, run, state, winner, owner, hypothesis } =
		report;
	const { closedUntil, waiting, lastDecidedAt } = report.freshness;
	const won = winner === null ? null : html`, winner ${winner}`;
	return html`<header>
<h1>${name}</h1>
<p class="soft">${experiment}, version ${version}, run ${run}: ${state}${won}${owner === "" ? null : html` · owner ${owner}`}</p>
${hypothesis === "" ? null : html`<p>${hypothesis}</p>`}
<p class="soft">Last decision ${instant(lastDecidedAt)}. ${
		closedUntil === null
			? "No decision's window has closed yet."
			: html`Lift and values tell of decisions before ${instant(closedUntil)}, whose windows are closed${waiting === 0 ? null : html`; ${number(waiting)} later ones are waited for`}.`
	}</p>
</header>`;
}

export function answerSection({ answer }: Report): Markup {
	const { verdict, sentence, advice, reasons } = answer;
	return html`<section class="answer ${TONE[verdict]}" aria-label="answer">
<p><strong>${verdict[0]?.toUpperCase() ?? ""}${verdict.slice(1)}.</strong> ${sentence}</p>
<p>${advice}</p>
${reasons.length === 0 ? null : html`<ul>${reasons.map((reason) => html`<li>${reason}</li>`)}</ul>`}
</section>`;
}
