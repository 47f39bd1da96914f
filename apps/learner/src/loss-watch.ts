import type { PartHealth } from "#api";
import {
	gapInWords,
	type Losses,
	streamChangeSentence,
	type WatchLosses,
} from "#usecases/watching";
import type { Log } from "../../boot/src/log.js";

const EVERY_MS = 2_000;
const MOST_NAMED = 3;

export interface LossMetrics {
	packsMissing(packs: number): void;
	packsNoticed(outcome: "missing" | "recovered", packs: number): void;
	streamChanged(kind: string): void;
}

/** Looks for losses every two seconds, and says each once: log, metrics, and for as long as it lasts the health of the learner. */
export class LossWatch {
	readonly #timer: NodeJS.Timeout;
	#looking: Promise<void> | null = null;
	#last: Losses["gaps"] | null = null;

	constructor(
		private readonly watch: Pick<WatchLosses, "execute">,
		private readonly metrics: LossMetrics,
		private readonly log: Pick<Log, "error" | "warn" | "info">,
		/** What must be stored before a look, lest it be missed. */
		private readonly beforeLook: () => Promise<void>,
	) {
		this.#timer = setInterval(() => this.#tick(), EVERY_MS);
		this.#tick();
	}

	async stop(): Promise<void> {
		clearInterval(this.#timer);
		await this.#looking;
	}

	/** Not ok while packs are missing; the learner works on all the same. */
	get health(): PartHealth {
		if (this.#last === null || this.#last.missing === 0) return { ok: true };
		const { open, missing } = this.#last;
		const named = open.slice(0, MOST_NAMED).map(gapInWords).join("; ");
		const more = open.length > MOST_NAMED ? "; and others" : "";
		return {
			ok: false,
			detail: `${missing} packs are missing: ${named}${more}`,
		};
	}

	#tick(): void {
		this.#looking ??= this.#look().finally(() => {
			this.#looking = null;
		});
	}

	async #look(): Promise<void> {
		try {
			await this.beforeLook();
			this.#tell(await this.watch.execute());
		} catch (error) {
			this.log.warn(
				{ err: error },
				"Losses could not be looked for; it is tried again in two seconds",
			);
		}
	}

	#tell({ gaps, stream }: Losses): void {
		this.#last = gaps;
		this.metrics.packsMissing(gaps.missing);
		if (stream !== null) {
			this.metrics.streamChanged(stream.kind);
			this.log.error(streamChangeSentence(stream));
		}
		for (const gap of gaps.alarmed) {
			this.metrics.packsNoticed("missing", gap.packs);
			this.log.error(
				`The stream never brought ${gapInWords(gap)}, though later ones came. They wait in that decider's spool, or are lost: see "Packs are missing" in docs/runbook.md.`,
			);
		}
		if (gaps.recovered > 0) {
			this.metrics.packsNoticed("recovered", gaps.recovered);
			this.log.info(`${gaps.recovered} packs that were missing arrived.`);
		}
		for (const gap of gaps.givenUp)
			this.log.warn(`Not waited for any longer: ${gapInWords(gap)}.`);
	}
}
