import type { Guardrail } from "#core/experiment";
import type { GuardrailSummary } from "#core/report";
import type { GuardrailStatus } from "#usecases/guarding";

/** Guardrails as a report shows them. */
export function guardrailSummaries(
	statuses: readonly GuardrailStatus[],
): readonly GuardrailSummary[] {
	return statuses.map(
		({ guardrail, status, value, beyondAtLeast, sentence, trip }) => ({
			metric: guardrail.metric,
			limit: limitOf(guardrail),
			action: guardrail.action,
			status: STATUS[status],
			estimate: value,
			bound: beyondAtLeast,
			sentence: trip?.sentence ?? sentence,
		}),
	);
}

const STATUS = {
	waiting: "not enough evidence",
	holds: "kept",
	tripped: "broken",
} as const;

function limitOf({ max, min, versus, margin = 0 }: Guardrail): string {
	const limits = [
		...(max === undefined ? [] : [`at most ${max}`]),
		...(min === undefined ? [] : [`at least ${min}`]),
		...(versus === undefined
			? []
			: [`no more than ${margin} worse than control`]),
	];
	return limits.join(", ");
}
