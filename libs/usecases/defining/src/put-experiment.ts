import {
	type Experiment,
	type ExperimentDiff,
	type Problem,
	parseExperiment,
} from "#core/experiment";
import { fail } from "#usecases/errors";
import { compare, edit, NOTHING_CHANGED } from "./edit.js";
import { refuseOwnName } from "./own-actors.js";
import type {
	DefinitionHistory,
	DefinitionStore,
	Obeyed,
	StoredDefinition,
} from "./ports.js";
import {
	explainingConflict,
	holds,
	type Precondition,
	Stale,
} from "./precondition.js";

export interface PutRequest extends Precondition {
	readonly key: string;
	/** The experiment as its owner writes it, not yet judged. */
	readonly document: unknown;
	readonly actor: string;
	readonly why: string;
}

export interface PutAnswer {
	readonly definition: StoredDefinition;
	readonly created: boolean;
	/** What the edit changed, with new version and epoch; nothing where it repeated what was there. */
	readonly diff: ExperimentDiff;
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
		let created = false;
		let diff = NOTHING_CHANGED;
		const definition = await explainingConflict(
			key,
			request,
			this.history,
			() =>
				this.store.change(key, (current, newestVersion) => {
					created = current === null;
					diff = compare(current, experiment);
					const target = { experiment, newestVersion };
					const change = edit(current, target, diff, request);
					// What is asked for is there already: the repeat of a PUT whose answer was lost (RFC 9110 §13.1.1).
					if (change !== null && !holds(request, current))
						throw new Stale(current);
					return change;
				}),
		);
		await this.obeyed?.refresh();
		return {
			definition: definition as StoredDefinition,
			created,
			diff,
			warnings,
		};
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
