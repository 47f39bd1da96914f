import type { JsonObject } from "#core/experiment";
import type { Considered } from "./considered.js";

type Known = Pick<Considered, "definition" | "compiled" | "arms" | "context">;

/** What a client gets for an eligible arm in this context, which the log keeps: so it is the same whenever it is asked for. */
export function payloadOf(known: Known, place: number): JsonObject {
	const arm = armAt(known, place);
	const variant = variantOf(known, place);
	return variant === null ? arm.payload : arm.payloads![variant]!.payload;
}

/** A payload that was chosen by rules. */
export interface ExplainedPayload {
	/** The rule that held; null where none did, so that the arm's own payload went out. */
	readonly when: string | null;
	readonly value: JsonObject;
}

/** Undefined where the arm has one payload for all. */
export function explainPayload(
	known: Known,
	place: number,
): ExplainedPayload | undefined {
	const { payloads } = armAt(known, place);
	if (payloads === undefined) return undefined;
	const variant = variantOf(known, place);
	const when = variant === null ? null : payloads[variant]!.when;
	return { when, value: payloadOf(known, place) };
}

function variantOf(
	{ compiled, arms, context }: Known,
	place: number,
): number | null {
	const { variants } = compiled;
	return variants === null
		? null
		: variants.variantOf(arms.eligible[place]!, context.values);
}

function armAt({ definition, arms }: Known, place: number) {
	return definition.experiment.arms[arms.eligible[place]!]!;
}
