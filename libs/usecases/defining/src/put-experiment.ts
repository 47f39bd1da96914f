import {
	type Experiment,
	type Problem,
	parseExperiment,
} from "#core/experiment";
import { fail } from "#usecases/errors";
import { type Edited, guardedEdit } from "./guarded-edit.js";
import { refuseOwnName } from "./own-actors.js";
import type { DefinitionHistory, DefinitionStore, Obeyed } from "./ports.js";
import type { ChangeRequest } from "./precondition.js";

export interface PutRequest extends ChangeRequest {
	/** The experiment as its owner writes it, not yet judged. */
	readonly document: unknown;
}

export interface PutAnswer extends Edited {
	readonly warnings: readonly Problem[];
}

/** Creates an experiment as a draft, or edits it whatever its state; one that changes nothing writes nothing. */
export class PutExperiment {
	constructor(
		private readonly store: DefinitionStore,
		private readonly history: DefinitionHistory,
		private readonly obeyed?: Obeyed,
		/** What else is wrong with an experiment that is valid by itself. */
		private readonly problemsOf: (
			experiment: Experiment,
		) => readonly Problem[] = () => [],
	) {}

	/** Throws invalid with every problem's path, edit-conflict. */
	async execute(request: PutRequest): Promise<PutAnswer> {
		refuseOwnName(request.actor);
		const { key } = request;
		const { experiment, warnings } = judge(
			key,
			request.document,
			this.problemsOf,
		);
		const { store, history, obeyed } = this;
		const stores = { store, history, obeyed };
		const edited = await guardedEdit(stores, request, { experiment });
		return { ...edited, warnings };
	}
}

function judge(
	key: string,
	document: unknown,
	problemsOf: (experiment: Experiment) => readonly Problem[],
): { experiment: Experiment; warnings: readonly Problem[] } {
	const parsed = parseExperiment(document);
	const problems = parsed.ok
		? [...keyProblems(key, parsed.value), ...problemsOf(parsed.value)]
		: parsed.problems;
	if (!parsed.ok || problems.length > 0) throw invalidExperiment(problems);
	return { experiment: parsed.value, warnings: parsed.warnings };
}

export function invalidExperiment(problems: readonly Problem[]): Error {
	const said = problems
		.slice(0, 5)
		.map(({ path, message }) =>
			path === "" ? message : `${path}: ${message}`,
		);
	return fail(
		"invalid",
		`The experiment has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}: ${said.join(" ")}`,
		problems,
	);
}

function keyProblems(key: string, experiment: Experiment): Problem[] {
	if (experiment.key === key) return [];
	const message = `Must be "${key.slice(0, 64)}", as in the path, not "${experiment.key}".`;
	return [{ path: "key", message }];
}
