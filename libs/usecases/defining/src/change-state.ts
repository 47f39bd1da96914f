import { fail } from "#usecases/errors";
import { refuseOwnName } from "./own-actors.js";
import type {
	DefinitionHistory,
	DefinitionStore,
	Obeyed,
	StoredDefinition,
} from "./ports.js";
import {
	type ChangeRequest,
	explainingConflict,
	holds,
	Stale,
} from "./precondition.js";
import { type Transition, transition } from "./transition.js";

export interface StateRequest extends ChangeRequest {
	/** Of a stop: the arm that everyone gets from now on; absent: the baseline arm. */
	readonly winner?: string | null;
}

/** One transition of an experiment's state, written as a definition row. */
class ChangeState {
	constructor(
		private readonly action: Transition,
		private readonly store: DefinitionStore,
		private readonly history: DefinitionHistory,
		private readonly obeyed?: Obeyed,
	) {}

	/** Throws unknown-experiment, bad-transition, edit-conflict, invalid. */
	async execute(request: StateRequest): Promise<StoredDefinition> {
		refuseOwnName(request.actor);
		const { key } = request;
		const changed = await explainingConflict(key, request, this.history, () =>
			this.store.change(key, (current) => {
				if (current === null)
					throw fail(
						"unknown-experiment",
						`There is no experiment "${key.slice(0, 64)}". PUT /v1/experiments/${key.slice(0, 64)} creates it.`,
					);
				if (!holds(request, current)) throw new Stale(current);
				return transition(current, this.action, request);
			}),
		);
		await this.obeyed?.refresh();
		return changed as StoredDefinition;
	}
}

/** Draft, paused or stopped → running; a new run. */
export class StartExperiment extends ChangeState {
	constructor(
		store: DefinitionStore,
		history: DefinitionHistory,
		obeyed?: Obeyed,
	) {
		super("start", store, history, obeyed);
	}
}

/** Paused, or held by a guardrail → running with its policy; a new run of the same analysis, so that guardrails count afresh. */
export class ResumeExperiment extends ChangeState {
	constructor(
		store: DefinitionStore,
		history: DefinitionHistory,
		obeyed?: Obeyed,
	) {
		super("resume", store, history, obeyed);
	}
}

/** Running → paused: it goes on answering, with the baseline arm, and learns nothing from that. */
export class PauseExperiment extends ChangeState {
	constructor(
		store: DefinitionStore,
		history: DefinitionHistory,
		obeyed?: Obeyed,
	) {
		super("pause", store, history, obeyed);
	}
}

/** Running or paused → stopped, with the winner everyone gets; stopped → stopped with another winner. */
export class StopExperiment extends ChangeState {
	constructor(
		store: DefinitionStore,
		history: DefinitionHistory,
		obeyed?: Obeyed,
	) {
		super("stop", store, history, obeyed);
	}
}
