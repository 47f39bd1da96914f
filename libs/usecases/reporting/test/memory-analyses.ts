import type { StoredDefinition } from "#usecases/defining";
import type { ReportedAnalyses, ReportedAnalysis } from "../src/index.js";

/** Memory twin: made of all rows, in the plainest way. */
export class MemoryAnalyses implements ReportedAnalyses {
	/** @param rows of all experiments, ascending */
	constructor(private readonly rows: readonly StoredDefinition[]) {}

	async current(key: string): Promise<ReportedAnalysis | null> {
		const all = this.rows.filter(({ experiment }) => experiment.key === key);
		const definition = all.at(-1);
		if (definition === undefined) return null;
		const isOf =
			(one: StoredDefinition) =>
			({ version, analysis }: StoredDefinition) =>
				version === one.version && analysis === one.analysis;
		const ran = all.filter(({ state }) => state === "running");
		const told = ran.some(isOf(definition))
			? definition
			: (ran.at(-1) ?? definition);
		const own = all.filter((row) => isOf(told)(row) && row.state !== "draft");
		const [first] = own;
		const isLast = (row: StoredDefinition, i: number) =>
			!own.some(
				({ bookedRun, epoch }, k) =>
					k > i && bookedRun === row.bookedRun && epoch === row.epoch,
			);
		return {
			definition,
			told,
			rows: own.filter((row, i) => row === first || isLast(row, i)),
			servedBefore: ran.some(
				(row) => !isOf(told)(row) && row.id < (own.at(-1) ?? told).id,
			),
			hasOnePolicy:
				new Set(
					own
						.filter(({ state }) => state === "running")
						.map(({ experiment: { policy } }) =>
							policy.kind === "fixed" ? `fixed ${policy.arm}` : policy.kind,
						),
				).size === 1,
			isStickyByUnit:
				own.length > 0 &&
				own.every(({ experiment }) => experiment.sticky === "unit"),
		};
	}
}
