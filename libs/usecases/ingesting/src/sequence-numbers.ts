/**
 * 1, 2, 3, … per message of one boot. A hole is a loss to whoever reads the log, so a number whose message certainly reached neither
 * stream nor spool is given back and used again; one whose fate is unknown is not.
 */
export class SequenceNumbers {
	#last = 0;
	#givenBack: number[] = [];

	take(): number {
		const again = this.#givenBack.shift();
		if (again !== undefined) return again;
		this.#last += 1;
		return this.#last;
	}

	giveBack(number: number): void {
		this.#givenBack.push(number);
	}
}
