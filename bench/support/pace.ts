/**
 * Begins `turns` turns at an even rate, whatever becomes of the earlier ones, and resolves when all have ended. Each is told when it was
 * due, by `performance.now()`: what it is late counts, if it counts from there. Rejects with the first turn that does.
 */
export async function atRate(
	perSecond: number,
	turns: number,
	begin: (turn: number, dueAt: number) => Promise<void>,
): Promise<void> {
	const begunAt = performance.now();
	const dueAt = (turn: number) => begunAt + (turn / perSecond) * 1e3;
	let next = 0;
	let open = 0;
	await new Promise<void>((resolve, reject) => {
		const ended = () => {
			open -= 1;
			if (open === 0 && next === turns) resolve();
		};
		const go = () => {
			while (next < turns && dueAt(next) <= performance.now()) {
				const turn = next++;
				open += 1;
				begin(turn, dueAt(turn)).then(ended, reject);
			}
			// A timer is late by a millisecond or more; to look at every turn of the loop would take a processor that the measured ones need.
			if (next < turns) setTimeout(go, 1);
		};
		go();
	});
}
