/** One side of a comparison: does its work once more and says what it measured, in the unit of the rows it appears in. */
export interface Contender {
	readonly name: string;
	readonly round: () => number | Promise<number>;
}

/**
 * What each contender measured in each round, by name. Within a round they run one after the other, and each round begins with the next
 * of them, so that a change of the machine's speed, and the place in the row, meets all alike. The first `warmUp` rounds do not count.
 */
export async function alternate(
	contenders: readonly Contender[],
	rounds: number,
	warmUp = 1,
): Promise<ReadonlyMap<string, readonly number[]>> {
	const measured = new Map(
		contenders.map(({ name }) => [name, [] as number[]]),
	);
	for (let round = -warmUp; round < rounds; round++)
		for (let turn = 0; turn < contenders.length; turn++) {
			const next = (round + warmUp + turn) % contenders.length;
			const contender = contenders[next] as Contender;
			const value = await contender.round();
			if (round >= 0) measured.get(contender.name)?.push(value);
		}
	return measured;
}
