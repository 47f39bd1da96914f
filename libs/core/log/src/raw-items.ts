/** From this character to before that one. */
export type Span = readonly [from: number, to: number];

/**
 * Where the elements of the list under `key` of a JSON object stand in the text; null where there is none. `text` is JSON that
 * was parsed before. Writing the parsed value out again would not do: 1e309 would come back as null, a duplicate key would be gone,
 * and 10,000 levels are too deep for JSON.stringify. Of several lists under the key the last counts, as for JSON.parse.
 */
export function rawItems(text: string, key: string): Span[] | null {
	let items: Span[] | null = null;
	let depth = 0;
	let name: string | null = null;
	let list: Span[] | null = null;
	let from = 0;
	for (let at = 0; at < text.length; at++) {
		const sign = text[at];
		if (sign === '"') {
			const end = endOfString(text, at);
			if (depth === 1 && name === null)
				name = JSON.parse(text.slice(at, end)) as string;
			at = end - 1;
		} else if (sign === "{" || sign === "[") {
			if (depth === 1 && name === key && sign === "[") {
				list = [];
				from = at + 1;
			}
			depth++;
		} else if (sign === "}" || sign === "]") {
			depth--;
			if (depth === 1 && list !== null) {
				pushItem(list, text, from, at);
				items = list;
				list = null;
			}
		} else if (sign === ",") {
			if (depth === 1) name = null;
			else if (depth === 2 && list !== null) {
				pushItem(list, text, from, at);
				from = at + 1;
			}
		}
	}
	return items;
}

/** Behind the closing quote of the string that begins at `at`. */
function endOfString(text: string, at: number): number {
	let end = text.indexOf('"', at + 1);
	while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
	return end + 1;
}

/** Behind an odd number of backslashes. */
function isEscaped(text: string, at: number): boolean {
	let before = at;
	while (text[before - 1] === "\\") before--;
	return (at - before) % 2 === 1;
}

function pushItem(list: Span[], text: string, from: number, to: number): void {
	let first = from;
	let end = to;
	while (first < end && isBlank(text[first])) first++;
	while (end > first && isBlank(text[end - 1])) end--;
	if (first < end) list.push([first, end]);
}

const isBlank = (sign: string | undefined): boolean =>
	sign === " " || sign === "\n" || sign === "\r" || sign === "\t";
