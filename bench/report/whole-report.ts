import {
	type Database,
	PostgresAnalysisReads,
	PostgresBookedReads,
	PostgresContextReads,
	PostgresDefinitionStore,
	PostgresGuardBooks,
	PostgresGuardTrips,
	PostgresReportReads,
} from "#adapters/postgres";
import { reportPage } from "#adapters/report-page";
import { bucketMsFor, parseExperiment } from "#core/experiment";
import { ReadGuardrails } from "#usecases/guarding";
import { MakeReport, viewReport } from "#usecases/reporting";
import { experiment as document } from "../decide/experiment.js";

/** A running experiment like that of bench:decide, with a segment and as many arms. */
export async function defineReported(
	database: Database,
	key: string,
	arms: number,
): Promise<void> {
	const parsed = parseExperiment({
		...document,
		key,
		arms: Array.from({ length: arms }, (_, i) => ({ key: `arm-${i}` })),
		segments: ["device"],
	});
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
	const bucketMs = bucketMsFor(parsed.value.policy);
	if (typeof bucketMs !== "number") throw new Error(bucketMs.message);
	await new PostgresDefinitionStore(database).change(key, () => ({
		experiment: parsed.value,
		version: 1,
		state: "running",
		run: 1,
		bookedRun: 1,
		analysis: 1,
		epoch: 1,
		winner: null,
		held: false,
		bucketMs,
		action: "create",
		actor: "bench",
		why: "",
	}));
}

/** The answers of GET …/report, as texts, wired as deciders wire them. */
export function reportsOf(database: Database) {
	const store = new PostgresDefinitionStore(database);
	const makeReport = new MakeReport(
		new PostgresAnalysisReads(database, store),
		store,
		new PostgresReportReads(database, new PostgresBookedReads(database)),
		new PostgresContextReads(database),
		new ReadGuardrails(
			store,
			store,
			new PostgresGuardBooks(database),
			new PostgresGuardTrips(database),
		),
	);
	return {
		json: async (key: string) =>
			JSON.stringify(viewReport(await makeReport.execute(key))),
		html: async (key: string) => reportPage(await makeReport.execute(key)),
	};
}
