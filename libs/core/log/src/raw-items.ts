/**
 * The elements of the list under `key` of a JSON object, each as it stands in the text; null where there is none. `text` is JSON that
 * was parsed before. Writing the parsed value out again would not do: 1e309 would come back as null, a duplicate key would be gone,
 * and 10,000 levels are too deep for JSON.stringify. Of several lists under the key the last counts, as for JSON.parse.
 */
export function rawItems(text: string, key: string): string[] | null {
	let items: string[] | null = null;
	let depth = 0;
	let name: string | null = null;
	let list: string[] | null = null;
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
				pushItem(list, text.slice(from, at));
				items = list;
				list = null;
			}
		} else if (sign === ",") {
			if (depth === 1) name = null;
			else if (depth === 2 && list !== null) {
				pushItem(list, text.slice(from, at));
				from = at + 1;
			}
		}
	}
	return items;
}

/** Behind the closing quote of the string that begins at `at`. */
function endOfString(text: string, at: number): number {
	let end = at + 1;
	while (text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
	return end + 1;
}

function pushItem(list: string[], raw: string): void {
	const item = raw.trim();
	if (item !== "") list.push(item);
}
