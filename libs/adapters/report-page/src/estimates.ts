import type { Estimate, FootnoteId } from "#core/report";
import { html, type Markup } from "./markup.js";
import { number, percent, signed } from "./numbers.js";

export function note(id: FootnoteId): Markup {
	return html`<sup><a href="#note-${id}" aria-label="how it is computed">*</a></sup>`;
}

/** A difference with its interval, or why there is none. */
export function difference(estimate: Estimate): Markup {
	return shown(estimate, signed);
}

/** A relative difference, as percents. */
export function relative(estimate: Estimate): Markup {
	return shown(estimate, (value) => {
		const text = percent(value);
		return value !== null && value > 0 ? `+${text}` : text;
	});
}

/** A level with its interval, or why there is none. */
export function level(estimate: Estimate): Markup {
	return shown(estimate, number);
}

function shown(
	{ estimate, low, high, withheld, footnote }: Estimate,
	say: (value: number | null) => string,
): Markup {
	if (withheld !== null)
		return html`<span class="note">${estimate === null ? null : html`${say(estimate)}; `}${withheld}</span>${note(footnote)}`;
	return html`${say(estimate)} <span class="soft">(${say(low)} to ${say(high)})</span>${note(footnote)}`;
}
