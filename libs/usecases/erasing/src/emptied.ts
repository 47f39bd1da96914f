/** A pack as it was, without its items: the spool keeps its count of entries, and the pack its number. */
export function emptied(body: Uint8Array): Uint8Array {
	let pack: unknown;
	try {
		pack = JSON.parse(new TextDecoder().decode(body));
	} catch {
		pack = {};
	}
	const lists = Object.entries(pack as object).map(([name, value]) => [
		name,
		Array.isArray(value) ? [] : value,
	]);
	return new TextEncoder().encode(JSON.stringify(Object.fromEntries(lists)));
}
