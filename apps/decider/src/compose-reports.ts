import {
	type Database,
	PostgresAnalysisReads,
	PostgresBookedReads,
	PostgresContextReads,
	type PostgresDefinitionStore,
	PostgresGuardBooks,
	PostgresGuardTrips,
	PostgresLedgerReads,
	PostgresReportReads,
} from "#adapters/postgres";
import { reportPage } from "#adapters/report-page";
import type { ApiParts } from "#api";
import type { Clock } from "#usecases/deciding";
import { ReadGuardrails } from "#usecases/guarding";
import { ReadLedger } from "#usecases/learning";
import { MakeReport } from "#usecases/reporting";
import { ReadContextHealth } from "#usecases/watching";

/** What an experiment was worth, and whether that can be trusted. */
export function composeReports(
	database: Database,
	store: PostgresDefinitionStore,
	clock: Clock,
): Pick<
	ApiParts,
	| "makeReport"
	| "reportPage"
	| "readContextHealth"
	| "readGuardrails"
	| "readLedger"
> {
	const contexts = new PostgresContextReads(database);
	const readGuardrails = new ReadGuardrails(
		store,
		store,
		new PostgresGuardBooks(database),
		new PostgresGuardTrips(database),
	);
	return {
		makeReport: new MakeReport(
			new PostgresAnalysisReads(database, store),
			store,
			new PostgresReportReads(database, new PostgresBookedReads(database)),
			contexts,
			readGuardrails,
		),
		reportPage,
		readContextHealth: new ReadContextHealth(store, contexts, clock),
		readGuardrails,
		readLedger: new ReadLedger(new PostgresLedgerReads(database)),
	};
}
