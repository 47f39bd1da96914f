/** Text that is markup already: made by `html` alone, so that what people typed can never be taken for it. */
export class Markup {
	constructor(readonly text: string) {}
}

export type Part = Markup | string | number | null | readonly Part[];

const ENTITIES: { readonly [character: string]: string } = {
	"&": "&amp;",
	"<": "&lt;",
	">": "&gt;",
	'"': "&quot;",
	"'": "&#39;",
};

/**
 * Markup with parts put in: text and numbers are escaped, for content as for quoted attributes; null is nothing; a list is its parts one
 * after the other, each escaped by the same rule.
 */
export function html(
	pieces: TemplateStringsArray,
	...parts: readonly Part[]
): Markup {
	const [first = "", ...rest] = pieces;
	return new Markup(
		first + rest.map((piece, i) => textOf(parts[i] ?? null) + piece).join(""),
	);
}

function textOf(part: Part): string {
	if (part === null) return "";
	if (part instanceof Markup) return part.text;
	if (isList(part)) return part.map(textOf).join("");
	return String(part).replace(/[&<>"']/g, (found) => ENTITIES[found] as string);
}

function isList(part: Part): part is readonly Part[] {
	return Array.isArray(part);
}
