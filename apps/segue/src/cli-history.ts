import { PostgresDefinitionStore } from "#adapters/postgres";
import {
	type AuditEntry,
	ReadAudit,
	RollBackExperiment,
	type RollbackTo,
} from "#usecases/defining";
import { SegueError } from "#usecases/errors";
import { withInstance } from "./cli-instance.js";
import { experimentProblems } from "./experiment-files.js";

export interface AuditOptions {
	readonly limit: number;
	readonly before?: number;
	readonly json?: boolean;
}

/** Prints who changed an experiment, newest first. */
export async function showAudit(
	key: string,
	options: AuditOptions,
): Promise<number> {
	const { limit, before, json } = options;
	return withStore(async (store) => {
		const page = await new ReadAudit(store, store).execute({
			key,
			limit,
			...(before !== undefined && { before }),
		});
		if (json) console.log(JSON.stringify(page));
		else {
			for (const entry of page.entries) printEntry(entry);
			if (page.before !== null)
				console.log(
					`Older changes: segue experiments audit ${key} --before ${page.before}`,
				);
		}
		return 0;
	});
}

function printEntry({
	id,
	at,
	actor,
	action,
	why,
	changes,
	after,
}: AuditEntry): void {
	const { version, state, held } = after;
	console.log(
		`${id}  ${at}  ${action} by ${actor}${why === "" ? "" : `: ${why}`}`,
	);
	console.log(
		`    version ${version}, ${state}${held ? ", held by a guardrail" : ""}`,
	);
	for (const change of changes) console.log(`    ${change}`);
}

export interface RollbackOptions {
	readonly toVersion?: number;
	readonly toDefinition?: number;
	readonly why: string;
	readonly actor: string;
}

/** Makes a former definition the current one again. */
export async function rollBack(
	key: string,
	options: RollbackOptions,
): Promise<number> {
	const { toVersion: version, toDefinition: definition, actor, why } = options;
	if ((version === undefined) === (definition === undefined)) {
		console.error(
			"Say where to go back to: --to-version N, or --to-definition ID as segue experiments audit lists them.",
		);
		return 1;
	}
	const to = (
		version === undefined ? { definition } : { version }
	) as RollbackTo;
	const problemsOf = await experimentProblems();
	return withStore(async (store) => {
		const verb = new RollBackExperiment(store, store, undefined, problemsOf);
		const { definition: now, diff } = await verb.execute({
			key,
			to,
			actor,
			why,
		});
		console.log(
			`${key}: ${diff.changes.length === 0 ? "is that already, nothing changes" : "is rolled back"}`,
		);
		for (const change of diff.changes) console.log(`  ${change}`);
		for (const reason of diff.reasons) console.log(`  reason: ${reason}`);
		console.log(
			`${key}: version ${now.version}, ${now.state}; every decider obeys within 2 s`,
		);
		return 0;
	});
}

/** What Segue refuses ends with exit code 1 and its sentence. */
async function withStore(
	use: (store: PostgresDefinitionStore) => Promise<number>,
): Promise<number> {
	try {
		return await withInstance((database) =>
			use(new PostgresDefinitionStore(database)),
		);
	} catch (error) {
		if (!(error instanceof SegueError)) throw error;
		console.error(error.message);
		return 1;
	}
}
