const MOST_EXACT = 2 ** 52;

/** A sum of whole numbers and of their products, exact however large they grow: float64 while that is exact, then bigint. */
export class ExactSum {
	#large = 0n;
	#small = 0;

	add(value: number): void {
		this.#small += value;
		if (Math.abs(this.#small) > MOST_EXACT) this.#carry();
	}

	/** Adds sign · a · b, all whole numbers within ±2⁵². */
	addProduct(a: number, b: number, sign: 1 | -1): void {
		const product = a * b;
		if (Math.abs(product) <= MOST_EXACT) this.add(sign * product);
		else this.#large += BigInt(sign) * BigInt(a) * BigInt(b);
	}

	get value(): bigint {
		this.#carry();
		return this.#large;
	}

	#carry(): void {
		this.#large += BigInt(this.#small);
		this.#small = 0;
	}
}
