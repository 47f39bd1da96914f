import type { Gap, GapsSeen, PublishedGaps } from "./ports.js";
import type { StreamChange, WatchStream } from "./watch-stream.js";

export interface Losses {
	readonly gaps: GapsSeen;
	readonly stream: StreamChange | null;
}

/** One look for what went missing between deciders and learners. */
export class WatchLosses {
	constructor(
		private readonly gaps: PublishedGaps,
		private readonly stream: Pick<WatchStream, "execute">,
		/** A pack may be that much later than those behind it. */
		private readonly graceMs: number,
	) {}

	async execute(): Promise<Losses> {
		return {
			stream: await this.stream.execute(),
			gaps: await this.gaps.look(this.graceMs),
		};
	}
}

/** Which packs, in a few words. */
export function gapInWords({
	boot,
	first,
	last,
	packs,
	noticedAt,
}: Gap): string {
	const which =
		packs === 1
			? `pack ${first}`
			: packs === last - first + 1
				? `packs ${first} to ${last}`
				: `${packs} of the packs ${first} to ${last}`;
	return `${which} of decider ${boot}, since ${new Date(noticedAt).toISOString()}`;
}
