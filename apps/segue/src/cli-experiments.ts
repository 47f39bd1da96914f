import { PostgresDefinitionStore } from "#adapters/postgres";
import { type Experiment, renderExperiment } from "#core/experiment";
import {
	analysisInWords,
	etagOf,
	PlanExperiments,
	type PlannedChange,
	PutExperiment,
	passedInstants,
	planChange,
	StartExperiment,
	type StoredDefinition,
} from "#usecases/defining";
import { SegueError } from "#usecases/errors";
import { withInstance } from "./cli-instance.js";
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
		for (const { plan, experiment } of plans) {
			printPlan(plan, "would be");
			printAnalysis(experiment);
			printPassed(plan, experiment);
		}
		return plans.every(({ plan }) => plan.refused.length === 0) ? 0 : 1;
	});
}

function printAnalysis(experiment: Experiment): void {
	const sentences = analysisInWords(experiment);
	if (experiment.metrics?.primary === undefined)
		console.error(`${experiment.key}: ${sentences.join(" ")}`);
	else for (const sentence of sentences) console.log(`  ${sentence}`);
}

/** Definition rows among which a pause's reason is looked for. */
const LOOKED_BACK = 50;

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
		let refused = 0;
		for (const planned of plans) {
			const { plan, experiment } = planned;
			try {
				const applied = await apply(planned, store, options);
				printPlan(plan, "is");
				printApplied(plan, applied);
				if (options.start) await printNotStarted(applied.definition, store);
				printPassed(plan, experiment);
			} catch (error) {
				if (!(error instanceof SegueError)) throw error;
				printPlan({ ...plan, refused: [] }, "would be");
				const again =
					error.code === "edit-conflict"
						? " Look at it again with segue experiments plan, then apply it again."
						: "";
				console.error(`${plan.key}: NOT applied. ${error.message}${again}`);
				refused++;
			}
		}
		return refused === 0 ? 0 : 1;
	});
}

function printApplied(
	{ key }: PlannedChange,
	{ definition: { version, state, run }, hasStarted }: Applied,
): void {
	if (hasStarted) console.log(`  started: run ${run}`);
	console.log(
		`${key}: version ${version}, ${state}; every decider obeys within 2 s`,
	);
}

/** A pipeline that applies every night must not undo what a guardrail or a person did: only a person resumes. */
async function printNotStarted(
	definition: StoredDefinition,
	store: PostgresDefinitionStore,
): Promise<void> {
	const { experiment, state, held } = definition;
	const { key } = experiment;
	const warn = (sentence: string) =>
		console.error(`${key}: warning: ${sentence}`);
	if (state === "stopped")
		warn(
			`it is stopped, and --start starts only drafts: POST /v1/experiments/${key}/start begins a new run and a new analysis.`,
		);
	if (state === "paused" || held)
		warn(
			`${state === "paused" ? "it is paused" : "it is held at what control gets"}${await reasonOf(key, store)}. --start starts only drafts: POST /v1/experiments/${key}/resume resumes it, once a person has looked.`,
		);
}

/** Who paused it or held it last and why, as a part of a sentence; empty where no row near tells. */
async function reasonOf(
	key: string,
	store: PostgresDefinitionStore,
): Promise<string> {
	const rows = await store.page(key, null, LOOKED_BACK);
	const row = rows.find(
		({ action }) => action === "pause" || action === "guardrail",
	);
	if (row === undefined) return "";
	const who = row.action === "guardrail" ? "a guardrail" : row.actor;
	return `, by ${who}${row.why === "" ? "" : `: ${row.why.replace(/\.$/, "")}`}`;
}

function printPassed(plan: PlannedChange, experiment: Experiment): void {
	for (const sentence of passedInstants(plan, experiment, Date.now()))
		console.error(`${plan.key}: warning: ${sentence}`);
}

interface Applied {
	/** Current afterwards. */
	readonly definition: StoredDefinition;
	readonly hasStarted: boolean;
}

/** Throws edit-conflict where somebody else changed it since it was planned. */
async function apply(
	{ plan, experiment }: Planned,
	store: PostgresDefinitionStore,
	{ actor, why, start }: ApplyOptions,
): Promise<Applied> {
	const { key } = plan;
	const { definition } = await new PutExperiment(store, store).execute({
		key,
		document: renderExperiment(experiment),
		actor,
		why,
		...(plan.etag === null ? { ifNoneMatch: "*" } : { ifMatch: plan.etag }),
	});
	if (!start || definition.state !== "draft")
		return { definition, hasStarted: false };
	try {
		const started = await new StartExperiment(store, store).execute({
			key,
			actor,
			why,
			ifMatch: etagOf(definition),
		});
		return { definition: started, hasStarted: true };
	} catch (error) {
		// Somebody else applied the same and started it first: that is what was asked for.
		const now = await store.find(key);
		const same =
			now?.state === "running" &&
			planChange(current(now), experiment).action === "none";
		if (same) return { definition: now, hasStarted: false };
		throw error;
	}
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
	return withInstance(async (database) => {
		const store = new PostgresDefinitionStore(database);
		const plans = await new PlanExperiments({
			find: async (key) => current(await store.find(key)),
		}).execute(wanted);
		return await use(
			plans.map((plan, i) => ({ plan, experiment: wanted[i] as Experiment })),
			store,
		);
	});
}

function current(definition: StoredDefinition | null) {
	return definition === null
		? null
		: { ...definition, etag: etagOf(definition) };
}

function printPlan(
	{
		key,
		action,
		changes,
		newVersion,
		newEpoch,
		reasons,
		refused,
	}: PlannedChange,
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
	for (const { path, message } of refused)
		console.log(`  this is refused: ${path}: ${message}`);
}
