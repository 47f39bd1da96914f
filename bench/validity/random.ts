/** Uniform numbers in [0, 1) with 32 bits: sfc32 (Doty-Humphrey, PractRand), whose streams of different seeds do not meet in practice. */
export function randomStream(seed: number, label: number): () => number {
	let a = seed | 0;
	let b = label | 0;
	let c = 0x9e3779b9;
	let counter = 1;
	const next = (): number => {
		const out = (((a + b) | 0) + counter) | 0;
		counter = (counter + 1) | 0;
		a = b ^ (b >>> 9);
		b = (c + (c << 3)) | 0;
		c = ((c << 21) | (c >>> 11)) + out;
		c |= 0;
		return (out >>> 0) / 2 ** 32;
	};
	// The generator's own warm-up: until then the state shows the seed.
	for (let i = 0; i < 15; i++) next();
	return next;
}
