interface Cell {
	readonly labels: Readonly<Record<string, string>>;
	/** Since it was handed on. */
	pending: number;
}

/** Counts by three names in plain numbers, handed on at a scrape: a tenth of what a labelled counter takes for each decision. */
export class Tally {
	readonly #cells = new Map<string, Map<string, Map<string, Cell>>>();

	/** @param labelsOf asked once for three names */
	constructor(
		private readonly labelsOf: (
			a: string,
			b: string,
			c: string,
		) => Readonly<Record<string, string>>,
	) {}

	add(a: string, b: string, c: string): void {
		const cell = this.#cells.get(a)?.get(b)?.get(c) ?? this.#newCell(a, b, c);
		cell.pending += 1;
	}

	drain(
		take: (labels: Readonly<Record<string, string>>, count: number) => void,
	): void {
		for (const byB of this.#cells.values())
			for (const byC of byB.values())
				for (const cell of byC.values()) {
					if (cell.pending > 0) take(cell.labels, cell.pending);
					cell.pending = 0;
				}
	}

	#newCell(a: string, b: string, c: string): Cell {
		const byB = inside(this.#cells, a);
		const cell = { labels: this.labelsOf(a, b, c), pending: 0 };
		inside(byB, b).set(c, cell);
		return cell;
	}
}

function inside<V>(
	map: Map<string, Map<string, V>>,
	key: string,
): Map<string, V> {
	const known = map.get(key);
	if (known !== undefined) return known;
	const made = new Map<string, V>();
	map.set(key, made);
	return made;
}
