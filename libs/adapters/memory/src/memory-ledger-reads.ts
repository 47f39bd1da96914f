import type { LedgerReads, VerdictCount } from "#usecases/learning";

export class MemoryLedgerReads implements LedgerReads {
	readonly all: VerdictCount[] = [];

	async counts(
		experiment: string,
	): Promise<readonly Omit<VerdictCount, "experiment">[]> {
		return this.all
			.filter((entry) => entry.experiment === experiment)
			.map(({ kind, verdict, count }) => ({ kind, verdict, count }));
	}
}
