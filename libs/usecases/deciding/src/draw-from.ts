import { assign } from "#core/experiment";
import type { DecisionRow } from "#core/log";
import { draw, uniformFrom } from "#core/policy";
import type { Considered } from "./considered.js";
import { toRow } from "./decision-row.js";
import type { DecisionRequest } from "./request.js";
import { serveGroup } from "./serve-group.js";

export interface Drawing {
	/** Place among the eligible arms. */
	readonly chosen: number;
	readonly row: DecisionRow;
}

/** Draws the arm of a decision from the distribution of the unit's group: the same for the same decision id, whenever it is done. */
export function drawFrom(
	considered: Considered,
	request: DecisionRequest,
	traceId: string | null,
): Drawing {
	const { definition, arms, scored, id } = considered;
	const { experiment, salt, state } = definition;
	const group = assign(experiment.traffic, salt, request.unit, state);
	const served = serveGroup(definition, group, arms.keys, scored.propensities);
	const chosen = draw(served.propensities, uniformFrom(salt, "draw", id));
	const row = toRow(considered, request, group, served, chosen, traceId);
	return { chosen, row };
}
