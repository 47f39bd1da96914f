/** Events of one kind, each with an id of its own. */
export function skips(prefix: string): (unit: string) => object {
	let serial = 0;
	return (unit) => ({
		id: `${prefix}-${serial++}`,
		type: "skip",
		unit,
		at: new Date().toISOString(),
		value: (serial % 40) / 8,
	});
}
