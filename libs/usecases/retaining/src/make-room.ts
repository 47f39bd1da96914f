import type { Stream } from "#usecases/ingesting";
import type { StreamCuts } from "./ports.js";

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

	/** @param onCut told before messages go that were stored before the instant, milliseconds */
	async execute(
		onCut: (before: number) => void,
		signal: AbortSignal,
	): Promise<void> {
		if (!this.stream.connected) return;
		if ((await this.stream.crowdedBefore()) === null) return;
		await this.cuts.cutAlone(async (cut) => {
			// Another learner may have made room since.
			const before = await this.stream.crowdedBefore();
			if (before === null || signal.aborted) return;
			await cut(before);
			onCut(before);
			await this.stream.purge(before, signal);
		});
	}
}
