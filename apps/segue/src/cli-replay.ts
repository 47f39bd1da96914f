import {
	PostgresDefinitionStore,
	PostgresLogReads,
	PostgresPosteriorSource,
} from "#adapters/postgres";
import { type Verification, Verify } from "#usecases/learning";
import { openInstance } from "./cli-instance.js";

const PROGRESS_EVERY = 10_000;

/** Proves invariant 1 on a live database. 0 where the stored sums equal the fold, 1 where they do not. */
export async function replay(options: {
	readonly json?: boolean;
	readonly experiment?: string;
}): Promise<number> {
	const database = await openInstance();
	try {
		const store = new PostgresDefinitionStore(database);
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
	} finally {
		await database.close();
	}
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
	differences,
}: Verification): void {
	const at = Object.entries(revisions).map(
		([key, revision]) => `${key} at revision ${revision}`,
	);
	console.log(
		`Decisions folded: ${decisions}, outcomes: ${outcomes}; ${at.join(", ") || "no experiments"}.`,
	);
	if (equal)
		console.log("Equal: every stored sum is bit for bit what the log says.");
	for (const { experiment, version, arm, bucket, what } of differences)
		console.log(
			`DIFFERENT: ${experiment} version ${version}, arm ${arm}, bucket ${bucket}: ${what}`,
		);
}
