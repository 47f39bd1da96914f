import type { Definition } from "#core/experiment";
import type { DecisionRow } from "#core/log";
import type { ArmModel } from "#core/policy";
import { SegueError } from "#usecases/errors";
import type { CompiledDefinition } from "./compiled-definition.js";
import { score } from "./considered.js";
import { drawFrom } from "./draw-from.js";
import { type Explanation, explain } from "./explain.js";
import { judgeArms } from "./judge-arms.js";
import { differencesOf } from "./rederive-differences.js";
import { rulingOf } from "./rulings.js";
import { reasonsOf } from "./why-missing.js";

/** A decision made again from its log row. */
export interface Rederivation {
	/** Null where it could not be made at all. */
	readonly explanation: Explanation | null;
	/** A sentence per thing that is not what was logged; none where the row came out bit for bit. */
	readonly differences: readonly string[];
}

/**
 * Makes a logged decision again with the code that makes decisions: the context is encoded, the rules are judged, the arms scored, the
 * arm drawn, and the row that comes out compared with the logged one.
 * @param models one per arm of the definition, of the revision and reference bucket that the row names
 */
export function rederive(
	row: DecisionRow,
	definition: Definition,
	compiled: CompiledDefinition,
	models: readonly ArmModel[],
): Rederivation {
	try {
		return makeAgain(row, definition, compiled, models);
	} catch (error) {
		// No arm eligible, or a score that is not finite: it was made, so these sums or rules are not those it was made with.
		if (error instanceof SegueError || error instanceof RangeError)
			return impossible(error);
		throw error;
	}
}

/** What made the decision impossible is the difference. */
export function impossible({ message }: Error): Rederivation {
	return {
		explanation: null,
		differences: [`It cannot be made again: ${message}`],
	};
}

function makeAgain(
	row: DecisionRow,
	definition: Definition,
	compiled: CompiledDefinition,
	models: readonly ArmModel[],
): Rederivation {
	const { experiment, state } = definition;
	const { x, missing } = compiled.encoder.encode(row.context);
	const reasons = reasonsOf(row);
	const requested = requestedArms(row, compiled.armKeys);
	const arms = judgeArms(definition, compiled, row.context, requested);
	const considered = score({
		definition,
		compiled,
		id: row.id,
		decidedAt: row.decidedAt,
		referenceBucket: row.referenceBucket,
		context: { values: row.context, ignored: [], degraded: [], reasons },
		x,
		missing,
		reasons,
		arms,
		posterior: { revision: row.revision, models, stale: false },
		models: arms.eligible.map((index) => models[index]!),
		degraded: state === "paused" || state === "stopped" ? [state] : [],
		ruling: rulingOf(row),
	});
	const request = { experiment: experiment.key, unit: row.unit };
	const { chosen, row: again } = drawFrom(considered, request, row.traceId);
	return {
		explanation: explain(considered, chosen, again),
		differences: differencesOf(row, again, definition, compiled),
	};
}

/** The request's own restriction left no trace but in the reasons. */
function requestedArms(
	{ excluded }: DecisionRow,
	armKeys: readonly string[],
): readonly string[] | undefined {
	const requested = armKeys.filter((key) => excluded[key] !== "not requested");
	return requested.length === armKeys.length ? undefined : requested;
}
