import {
	type ErasedFromDatabase,
	type Erasure,
	ErasureBusy,
	type RemovedMessages,
	type StreamErasure,
} from "./ports.js";
import { makeReceipt, type Receipt } from "./receipt.js";
import { NO_ROWS, type RemovedRows } from "./removed-rows.js";
import { takeOut } from "./take-out.js";

/** Units whose rows go in one transaction: bounds how long learners wait before the gate. */
const AT_ONCE = 50;
/** Nobody waits for an answer here. */
const PATIENCE_MS = 30_000;
const STREAM_MS = 120_000;

export interface BulkReceipt extends Omit<Receipt, "erasedAt"> {
	/** Units erased, of those that were asked for. */
	readonly units: number;
	readonly asked: number;
	/** The latest instant up to which one of them is refused; null where none was erased. */
	readonly erasedAt: string | null;
	/** Why it ended early; null where it did not. Erasing the same list again completes it. */
	readonly stopped: string | null;
}

export interface EraseUnitsPorts {
	readonly erasure: Erasure;
	/** Null where it is out of reach: its messages go when it is purged. */
	readonly stream: StreamErasure | null;
	readonly clock: { now(): number };
}

/** Erases many units, some in each transaction, then goes through the stream once for all. */
export class EraseUnits {
	constructor(
		private readonly ports: EraseUnitsPorts,
		private readonly streamKeepMs: number,
		private readonly onProgress: (units: number) => void = () => {},
		/** Every name that what is kept of a unit may go by. */
		private readonly namesOf: (unit: string) => readonly string[] = (unit) => [
			unit,
		],
	) {}

	async execute(units: readonly string[]): Promise<BulkReceipt> {
		const asked = [...new Set(units)];
		let total: ErasedFromDatabase | null = null;
		let stopped: string | null = null;
		let done = 0;
		while (done < asked.length) {
			const some = asked.slice(done, done + AT_ONCE);
			try {
				const names = some.flatMap(this.namesOf);
				const erased = await this.ports.erasure.erase(names, PATIENCE_MS);
				total = total === null ? erased : together(total, erased);
			} catch (error) {
				if (!(error instanceof ErasureBusy)) throw error;
				stopped = error.message;
				break;
			}
			done += some.length;
			this.onProgress(done);
		}
		for (const [experiment, revision] of total?.revisions ?? [])
			this.ports.stream?.announce(experiment, revision);
		const names = asked.slice(0, done).flatMap(this.namesOf);
		const messages = await this.#stream(new Set(names));
		const outside = {
			spoolEntries: null,
			messages,
			now: this.ports.clock.now(),
			streamKeepMs: this.streamKeepMs,
		};
		const receipt = makeReceipt(total ?? nothing, outside);
		return {
			units: done,
			asked: asked.length,
			stopped,
			...receipt,
			erasedAt: total === null ? null : receipt.erasedAt,
		};
	}

	async #stream(units: ReadonlySet<string>): Promise<RemovedMessages | null> {
		if (units.size === 0) return null;
		return (
			(await this.ports.stream?.erase(
				(body) => takeOut(body, units),
				STREAM_MS,
			)) ?? null
		);
	}
}

const nothing: ErasedFromDatabase = {
	erasedAt: 0,
	removed: NO_ROWS,
	revisions: new Map(),
	foldedBefore: null,
};

function together(
	a: ErasedFromDatabase,
	b: ErasedFromDatabase,
): ErasedFromDatabase {
	const names = Object.keys(NO_ROWS) as (keyof RemovedRows)[];
	return {
		erasedAt: Math.max(a.erasedAt, b.erasedAt),
		removed: Object.fromEntries(
			names.map((name) => [name, a.removed[name] + b.removed[name]]),
		) as unknown as RemovedRows,
		revisions: new Map([...a.revisions, ...b.revisions]),
		foldedBefore: b.foldedBefore,
	};
}
