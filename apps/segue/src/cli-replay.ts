import {
	PostgresBookedLog,
	PostgresDefinitionStore,
	PostgresLoggedDecisions,
	PostgresLogReads,
	PostgresPosteriorSource,
	PostgresRevisionReads,
} from "#adapters/postgres";
import { RecountBookings, type RecountedBookings } from "#usecases/booking";
import { type DecisionsReplayed, ReplayDecisions } from "#usecases/deciding";
import { GetExperiment } from "#usecases/defining";
import { PastSumsOfLog, type Verification, Verify } from "#usecases/learning";
import { withInstance } from "./cli-instance.js";

const PROGRESS_EVERY = 10_000;
const STOPPED =
	"Stopped before all was counted again, so nothing is proved. Booking goes on.";
const WHAT_TO_DO = 'What to do: "Replay is unequal" in docs/runbook.md.';
/** Nobody waits for this process meanwhile. */
const AT_ONCE = 2_000;

/** Proves invariant 1 on a live database. 0 where the stored sums equal the fold, 1 where they do not. */
export async function replay(options: {
	readonly json?: boolean;
	readonly experiment?: string;
}): Promise<number> {
	return withInstance(async (database) => {
		const store = new PostgresDefinitionStore(database);
		await refuseUnknown(store, options);
		const reads = new PostgresLogReads(
			database,
			new PostgresPosteriorSource(database),
			store,
		);
		const verification = await new Verify(reads, progress()).execute(
			options.experiment,
		);
		if (options.json) console.log(JSON.stringify(verification));
		else printVerification(verification);
		return verification.equal ? 0 : 1;
	});
}

/**
 * Makes logged decisions again, all or so many drawn evenly, and compares them with the log. 0 where every one that can be derived
 * again came out as logged, 1 where one did not.
 */
export async function replayDecisions(options: {
	readonly json?: boolean;
	readonly experiment?: string;
	/** Absent: all. */
	readonly decisions?: number;
	readonly seed?: number;
}): Promise<number> {
	return withInstance(async (database) => {
		const store = new PostgresDefinitionStore(database);
		await refuseUnknown(store, options);
		const replayed = await new ReplayDecisions({
			log: new PostgresLoggedDecisions(database),
			definitions: store,
			past: new PastSumsOfLog(
				new PostgresRevisionReads(database, store, AT_ONCE),
			),
			onProgress(done, of) {
				if (process.stderr.isTTY)
					process.stderr.write(
						`\rderived ${done}${of === null ? "" : ` of ${of}`} decisions again`,
					);
			},
		}).execute(options);
		if (process.stderr.isTTY) process.stderr.write("\n");
		if (options.json) console.log(JSON.stringify(replayed));
		else printReplayed(replayed);
		return replayed.differing === 0 ? 0 : 1;
	});
}

/** Counts the log again and compares it with the rollups that reports are made of. 0 where they are equal, 1 where they are not. */
export async function recountBookings(options: {
	readonly json?: boolean;
	readonly experiment?: string;
}): Promise<number> {
	return withInstance(async (database) => {
		const store = new PostgresDefinitionStore(database);
		await refuseUnknown(store, options);
		const stopping = new AbortController();
		const stop = () => stopping.abort(new Error(STOPPED));
		// Once each: who asks again is not kept waiting.
		for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, stop);
		const recounted = await new RecountBookings(
			new PostgresBookedLog(database, store),
		).execute(options.experiment, stopping.signal);
		if (options.json) console.log(JSON.stringify(recounted));
		else printRecounted(recounted);
		return recounted.equal ? 0 : 1;
	});
}

/** Nothing is proved of an experiment that there is not: a typing error must not read as equal. */
async function refuseUnknown(
	store: PostgresDefinitionStore,
	{ experiment }: { readonly experiment?: string },
): Promise<void> {
	if (experiment !== undefined)
		await new GetExperiment(store).execute(experiment);
}

function printRecounted({ equal, experiments }: RecountedBookings): void {
	for (const { experiment, decisions, units, partial } of experiments)
		console.log(
			`${experiment}: ${decisions} booked decisions counted again, ${units} units${partial === null ? "" : `; ${partial}`}.`,
		);
	if (experiments.length === 0) console.log("Nothing is booked yet.");
	else if (equal)
		console.log(
			"Equal: every rollup is what the log says, counts bit for bit, scores within 1e-9.",
		);
	for (const { experiment, differences } of experiments)
		for (const difference of differences)
			console.log(`DIFFERENT: ${experiment}: ${difference}`);
	if (!equal) console.log(WHAT_TO_DO);
}

function printReplayed({
	decisions,
	equal,
	different,
	differing,
	skipped,
}: DecisionsReplayed): void {
	console.log(
		`Decisions looked at: ${decisions}; derived again and equal, bit for bit: ${equal}; different: ${differing}.`,
	);
	for (const { why, count } of skipped)
		console.log(`Not derived again: ${count}. ${why}`);
	for (const { decisionId, experiment, revision, differences } of different)
		for (const difference of differences)
			console.log(
				`DIFFERENT: ${decisionId} of ${experiment} at revision ${revision}: ${difference}`,
			);
	if (differing > different.length)
		console.log(`And ${differing - different.length} more.`);
}

/** A line on stderr now and then, where someone is watching. */
function progress(): (decisions: number) => void {
	let said = 0;
	return (decisions) => {
		if (!process.stderr.isTTY || decisions - said < PROGRESS_EVERY) return;
		said = decisions;
		process.stderr.write(`\rfolded ${decisions} decisions`);
	};
}

function printVerification({
	equal,
	decisions,
	outcomes,
	revisions,
	closed,
	differences,
}: Verification): void {
	const at = Object.entries(revisions).map(
		([key, revision]) => `${key} at revision ${revision}`,
	);
	console.log(
		`Decisions folded: ${decisions}, outcomes: ${outcomes}; ${at.join(", ") || "no experiments"}.`,
	);
	for (const { experiment, buckets, learned } of closed)
		console.log(
			`${experiment} begins from what retention folded away: ${learned} decisions that taught, in ${buckets} sums that were proved when their rows were dropped.`,
		);
	if (equal)
		console.log("Equal: every stored sum is bit for bit what the log says.");
	for (const { experiment, version, arm, bucket, what } of differences)
		console.log(
			`DIFFERENT: ${experiment} version ${version}, arm ${arm}, bucket ${bucket}: ${what}`,
		);
	if (!equal) console.log(WHAT_TO_DO);
}
