import type { Stream } from "#usecases/ingesting";

export interface StreamCuts {
	/** Before messages are dropped that were stored before the instant, milliseconds: nobody may take the stream for whole. */
	cut(before: number): Promise<void>;
}

/**
 * Drops what learners have acknowledged where the stream is nearly full of it, however young it is: a decider that starts then knows less
 * of the last hour, while one that finds no room for a decision could not answer it.
 */
export class MakeRoom {
	constructor(
		private readonly stream: Pick<
			Stream,
			"connected" | "crowdedBefore" | "purge"
		>,
		private readonly cuts: StreamCuts,
	) {}

	/** The instant before which it dropped messages, milliseconds; null where there was room. */
	async execute(): Promise<number | null> {
		if (!this.stream.connected) return null;
		const before = await this.stream.crowdedBefore();
		if (before === null) return null;
		await this.cuts.cut(before);
		await this.stream.purge(before);
		return before;
	}
}
