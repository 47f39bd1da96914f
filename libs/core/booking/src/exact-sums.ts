const MOST_EXACT = 2 ** 52;

/** Sums of whole numbers and of their products, exact however large they grow: float64 while that is exact, then bigint. */
export class ExactSums {
	readonly #small: Float64Array;
	/** By place, what was too large. */
	readonly #large = new Map<number, bigint>();

	constructor(count: number) {
		this.#small = new Float64Array(count);
	}

	get count(): number {
		return this.#small.length;
	}

	add(place: number, value: number): void {
		const sum = (this.#small[place] as number) + value;
		this.#small[place] = sum;
		if (Math.abs(sum) > MOST_EXACT) this.#carry(place);
	}

	/** Adds sign · a · b, all whole numbers within ±2⁵². */
	addProduct(place: number, a: number, b: number, sign: 1 | -1): void {
		const product = a * b;
		if (Math.abs(product) <= MOST_EXACT) this.add(place, sign * product);
		else
			this.#large.set(
				place,
				(this.#large.get(place) ?? 0n) + BigInt(sign) * BigInt(a) * BigInt(b),
			);
	}

	get values(): bigint[] {
		return Array.from(
			this.#small,
			(small, place) => BigInt(small) + (this.#large.get(place) ?? 0n),
		);
	}

	#carry(place: number): void {
		const small = BigInt(this.#small[place] as number);
		this.#large.set(place, (this.#large.get(place) ?? 0n) + small);
		this.#small[place] = 0;
	}
}
