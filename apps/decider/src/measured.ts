import type { Metrics } from "#adapters/telemetry";
import type { PosteriorSource } from "#usecases/deciding";

/** Each reading of a posterior is timed, and its revision shown. */
export function measured(
	source: PosteriorSource,
	metrics: Metrics,
): PosteriorSource {
	return {
		heads: () => source.heads(),
		async read(experiment, version, sinceRevision, sheets) {
			const startedAt = performance.now();
			const read = await source.read(
				experiment,
				version,
				sinceRevision,
				sheets,
			);
			metrics.refreshed(
				experiment,
				read.revision,
				(performance.now() - startedAt) / 1_000,
			);
			return read;
		},
	};
}
