import { GUARDRAIL } from "./own-actors.js";
import type { DefinitionStore, Obeyed, StoredDefinition } from "./ports.js";
import { noExperiment } from "./read-experiments.js";
import { trip } from "./transition.js";

export interface TrippedGuardrail {
	readonly key: string;
	/** The run that the guardrail judged. */
	readonly run: number;
	/** `pause`: everyone gets the baseline arm; `control`: policy units are served control's distribution. */
	readonly action: "pause" | "control";
	/** What the guardrail saw, in a sentence: shown wherever the experiment is. */
	readonly why: string;
}

/** Stops harm: only a person resumes. Does nothing where a person has acted on that run already, or another process has done it. */
export class TripGuardrail {
	constructor(
		private readonly store: Pick<DefinitionStore, "change">,
		private readonly obeyed?: Obeyed,
	) {}

	/** The definition that is current afterwards, and whether this call made it. Throws unknown-experiment. */
	async execute(tripped: TrippedGuardrail): Promise<{
		readonly definition: StoredDefinition;
		readonly acted: boolean;
	}> {
		let acted = false;
		const definition = await this.store.change(tripped.key, (current) => {
			if (current === null) throw noExperiment(tripped.key);
			const change = trip(current, tripped, GUARDRAIL);
			acted = change !== null;
			return change;
		});
		await this.obeyed?.refresh();
		return { definition: definition as StoredDefinition, acted };
	}
}
