import { PRINTABLE } from "#core/experiment";
import { fail } from "#usecases/errors";
import { emptied } from "./emptied.js";
import {
	type Erasure,
	ErasureBusy,
	type RemovedMessages,
	type SpoolErasure,
	type StreamErasure,
	type UnitMemory,
} from "./ports.js";
import { makeReceipt, type Receipt } from "./receipt.js";
import { takeOut } from "./take-out.js";

/** Longer than a learner stopped inside its transaction can hold the gate: its session ends after 5 s. */
const PATIENCE_MS = 8_000;
/** How long the stream is looked through before the answer. */
const STREAM_MS = 1_000;
/** Deciders that began before the erasure have written what they were writing. */
const SWEEP_MS = 2_000;
/** Clocks that differ by more are the operator's concern. */
const MOST_WAIT_MS = 2_000;

export interface EraseUnitPorts {
	readonly erasure: Erasure;
	readonly stream: StreamErasure;
	readonly spool: SpoolErasure;
	readonly memory: UnitMemory;
	readonly clock: { now(): number };
}

/**
 * Takes one unit out of everything Segue keeps, exactly. Committed when it resolves; the receipt says what was removed, and what
 * remains until when. A unit that nobody knows gets its tombstone too, since its events may be on their way.
 */
export class EraseUnit {
	constructor(
		private readonly ports: EraseUnitPorts,
		/** Told of what went wrong after the commit, which the receipt then says. */
		private readonly onTrouble: (what: string, error: unknown) => void,
		/** How long the stream keeps messages that learners have acknowledged. */
		private readonly streamKeepMs: number,
		/** Every name that what is kept of a unit may go by. */
		private readonly namesOf: (unit: string) => readonly string[] = (unit) => [
			unit,
		],
	) {}

	/** Throws invalid, or busy where learners did not let it in: then it is to be asked for again. */
	async execute(unit: string): Promise<Receipt> {
		if (!PRINTABLE.test(unit)) {
			const message = "Must be 1 to 256 printable characters.";
			throw fail("invalid", `The unit cannot be read: ${message}`, [
				{ path: "unit", message },
			]);
		}
		const { memory, stream, clock } = this.ports;
		const names = this.namesOf(unit);
		const units = new Set(names);
		const erased = await this.#erase(names);
		const { erasedAt, revisions } = erased;
		for (const name of names) await memory.forget(name, erasedAt);
		for (const [experiment, revision] of revisions)
			stream.announce(experiment, revision);
		const spoolEntries = await this.#spool(units);
		const messages = await this.#stream(units);
		this.#sweepLater(names, erasedAt);
		await untilPast(clock, erasedAt);
		// What was being decided meanwhile.
		for (const name of names) await memory.forget(name, erasedAt);
		return makeReceipt(erased, {
			spoolEntries,
			messages,
			now: clock.now(),
			streamKeepMs: this.streamKeepMs,
		});
	}

	async #erase(units: readonly string[]) {
		try {
			return await this.ports.erasure.erase(units, PATIENCE_MS);
		} catch (error) {
			if (error instanceof ErasureBusy)
				throw fail("busy", error.message, [], { cause: error });
			throw error;
		}
	}

	/** Null where it could not be told. */
	async #spool(units: ReadonlySet<string>): Promise<number | null> {
		try {
			return await this.ports.spool.rewrite((body) => {
				const left = takeOut(body, units);
				if (left === "all") return body;
				return left === "nothing" ? emptied(body) : left;
			});
		} catch (error) {
			this.onTrouble(
				"An erased unit could not be taken out of the spool",
				error,
			);
			return null;
		}
	}

	async #stream(units: ReadonlySet<string>): Promise<RemovedMessages | null> {
		try {
			return await this.ports.stream.erase(
				(body) => takeOut(body, units),
				STREAM_MS,
			);
		} catch (error) {
			this.onTrouble(
				"An erased unit could not be taken out of the stream; it goes when the stream is purged",
				error,
			);
			return null;
		}
	}

	#sweepLater(units: readonly string[], erasedAt: number): void {
		setTimeout(() => {
			this.ports.erasure
				.sweep(units, erasedAt)
				.catch((error) =>
					this.onTrouble(
						"Answers kept for an erased unit were not looked for again; they go when they expire",
						error,
					),
				);
		}, SWEEP_MS).unref();
	}
}

/** Ids minted here from now on are above the tombstone, so that the unit may return at once. */
async function untilPast(
	clock: { now(): number },
	instant: number,
): Promise<void> {
	const behind = instant - clock.now() + 1;
	if (behind > 0)
		await new Promise((resolve) =>
			setTimeout(resolve, Math.min(MOST_WAIT_MS, behind)),
		);
}
