const OTHER = "other";
const LONGEST = 96;

/**
 * Bounds how many values a label takes: the first `most` distinct ones are kept, later ones become
 * `other`, so that no client can make Prometheus hold a series for each thing it thinks of.
 */
export class BoundedLabel {
	readonly #known = new Set<string>();

	constructor(private readonly most: number) {}

	/** The value to write; `scope` names what a value belongs to, such as the experiment of an arm. */
	of(value: string, scope = ""): string {
		const key = `${scope}\0${value}`;
		if (!this.#known.has(key)) {
			if (this.#known.size >= this.most) return OTHER;
			this.#known.add(key);
		}
		return value.length > LONGEST ? value.slice(0, LONGEST) : value;
	}
}
