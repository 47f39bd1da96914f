import type { Guardrail } from "#core/experiment";
import type {
	GuardrailStatus,
	GuardrailsOfExperiment,
} from "./read-guardrails.js";

/** As the API shows it: instants as ISO 8601. */
export interface GuardrailsView
	extends Omit<GuardrailsOfExperiment, "since" | "guardrails"> {
	readonly since: string | null;
	readonly guardrails: readonly (Omit<GuardrailStatus, "guardrail" | "trip"> &
		Pick<Guardrail, "metric" | "action"> & {
			readonly trip: {
				readonly at: string;
				readonly sentence: string;
			} | null;
		})[];
}

export function viewGuardrails({
	since,
	guardrails,
	...experiment
}: GuardrailsOfExperiment): GuardrailsView {
	return {
		...experiment,
		since: since === null ? null : iso(since),
		guardrails: guardrails.map(
			({ index, guardrail: { metric, action }, trip, ...status }) => ({
				index,
				metric,
				action,
				...status,
				trip: trip && { at: iso(trip.at), sentence: trip.sentence },
			}),
		),
	};
}

const iso = (at: number): string => new Date(at).toISOString();
