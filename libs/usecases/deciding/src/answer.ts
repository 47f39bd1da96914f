import type { DecisionRow } from "#core/log";
import type { Considered } from "./considered.js";
import type { BestDecision, DrawnDecision } from "./decision.js";
import { explain } from "./explain.js";
import { payloadOf } from "./payload.js";

/** The answer to a decision that was drawn and logged; a place other than the stream is named in `degraded`. */
export function answerDrawn(
	considered: Considered,
	row: DecisionRow,
	chosen: number,
	place: "stream" | "spool",
	explained = false,
): DrawnDecision {
	const { arm, propensity, group } = row;
	return {
		decisionId: row.id,
		experiment: row.experiment,
		version: row.version,
		arm,
		payload: payloadOf(considered, chosen),
		propensity,
		group,
		revision: row.revision,
		missing: row.missing,
		ignored: considered.context.ignored,
		degraded: place === "spool" ? [...row.degraded, "stream"] : row.degraded,
		...(explained && { explanation: explain(considered, chosen, row) }),
	};
}

/** The answer in mode `best`. */
export function answerBest(
	considered: Considered,
	chosen: number,
	explained = false,
): BestDecision {
	const { definition, arms, context, missing, degraded, posterior } =
		considered;
	return {
		mode: "best",
		experiment: definition.experiment.key,
		version: definition.version,
		arm: arms.keys[chosen]!,
		payload: payloadOf(considered, chosen),
		revision: posterior.revision,
		missing,
		ignored: context.ignored,
		degraded: definition.held ? [...degraded, "guardrail"] : degraded,
		...(explained && { explanation: explain(considered, chosen, null) }),
	};
}
