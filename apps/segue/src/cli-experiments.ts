import { PostgresDefinitionStore } from "#adapters/postgres";
import { type Experiment, renderExperiment } from "#core/experiment";
import {
	etagOf,
	PlanExperiments,
	type PlannedChange,
	PutExperiment,
	StartExperiment,
	type StoredDefinition,
} from "#usecases/defining";
import { openInstance } from "./cli-instance.js";
import {
	type ExperimentFile,
	readExperimentFiles,
} from "./experiment-files.js";

/** Prints every problem of every file; 0 where there is none. */
export async function validateFiles(paths: readonly string[]): Promise<number> {
	const files = await readExperimentFiles(paths);
	for (const file of files) printJudgement(file);
	return files.every(({ parsed }) => parsed.ok) ? 0 : 1;
}

function printJudgement({ path, parsed }: ExperimentFile): void {
	if (!parsed.ok) {
		for (const { path: place, message } of parsed.problems)
			console.error(`${path}: ${place === "" ? "" : `${place}: `}${message}`);
		return;
	}
	for (const { path: place, message } of parsed.warnings)
		console.error(`${path}: warning: ${place}: ${message}`);
	console.log(
		`${path}: ${parsed.value.key} is valid, ${parsed.value.arms.length} arms`,
	);
}

/** Prints what apply would do; changes nothing. */
export async function planFiles(paths: readonly string[]): Promise<number> {
	return withPlans(paths, async (plans) => {
		for (const { plan } of plans) printPlan(plan, "would be");
		return 0;
	});
}

export interface ApplyOptions {
	readonly start?: boolean;
	readonly why: string;
	readonly actor: string;
}

/** Applies each file under the ETag it was planned with, so that an edit made meanwhile is never overwritten. */
export async function applyExperiments(
	paths: readonly string[],
	options: ApplyOptions,
): Promise<number> {
	return withPlans(paths, async (plans, store) => {
		const put = new PutExperiment(store, store);
		const start = new StartExperiment(store, store);
		for (const { plan, experiment } of plans) {
			printPlan(plan, "is");
			const { definition } = await put.execute({
				key: plan.key,
				document: renderExperiment(experiment),
				actor: options.actor,
				why: options.why,
				...(plan.etag === null ? { ifNoneMatch: "*" } : { ifMatch: plan.etag }),
			});
			const waits =
				definition.state === "draft" || definition.state === "paused";
			if (options.start && waits)
				await start.execute({
					key: plan.key,
					actor: options.actor,
					why: options.why,
					ifMatch: etagOf(definition),
				});
			const state = options.start && waits ? "running" : definition.state;
			console.log(
				`${plan.key}: version ${definition.version}, ${state}; every decider obeys within 2 s`,
			);
		}
		return 0;
	});
}

interface Planned {
	readonly plan: PlannedChange;
	readonly experiment: Experiment;
}

async function withPlans(
	paths: readonly string[],
	use: (
		plans: readonly Planned[],
		store: PostgresDefinitionStore,
	) => Promise<number>,
): Promise<number> {
	const files = await readExperimentFiles(paths);
	if (!files.every(({ parsed }) => parsed.ok)) {
		for (const file of files) printJudgement(file);
		return 1;
	}
	const wanted = files.flatMap(({ parsed }) =>
		parsed.ok ? [parsed.value] : [],
	);
	const database = await openInstance();
	try {
		const store = new PostgresDefinitionStore(database);
		const plans = await new PlanExperiments({
			find: async (key) => current(await store.find(key)),
		}).execute(wanted);
		return await use(
			plans.map((plan, i) => ({ plan, experiment: wanted[i] as Experiment })),
			store,
		);
	} finally {
		await database.close();
	}
}

function current(definition: StoredDefinition | null) {
	return definition === null
		? null
		: { ...definition, etag: etagOf(definition) };
}

function printPlan(
	{ key, action, changes, newVersion, newEpoch, reasons }: PlannedChange,
	verb: "would be" | "is",
): void {
	if (action === "none") console.log(`${key}: nothing changes`);
	else
		console.log(
			`${key}: ${verb} ${action === "create" ? "created as a draft" : "edited"}`,
		);
	for (const change of changes) console.log(`  ${change}`);
	if (newVersion)
		console.log(
			"  this starts a new version: what was learned so far belongs to the old one",
		);
	if (newEpoch) console.log("  this starts a new epoch of the control group");
	for (const reason of reasons) console.log(`  reason: ${reason}`);
}
