import { compileEncoder } from "#core/context";
import {
	bucketMsFor,
	type Definition,
	type Experiment,
	type JsonObject,
	parseExperiment,
} from "#core/experiment";
import { type DecisionRow, type Event, timeOfId, uuidAtTime } from "#core/log";

/** An experiment from what matters to the test; throws with the problems where it is none. */
export function anExperiment(
	document: { readonly key: string } & Record<string, unknown>,
): Experiment {
	const parsed = parseExperiment(document);
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
	return parsed.value;
}

export function aDefinition(
	experiment: Experiment,
	fields: Partial<Definition> = {},
): Definition {
	const bucketMs = bucketMsFor(experiment.policy);
	if (typeof bucketMs !== "number") throw new Error(bucketMs.message);
	return {
		id: 1,
		experiment,
		version: 1,
		state: "running",
		run: 1,
		bookedRun: 1,
		analysis: 1,
		epoch: 1,
		winner: null,
		held: false,
		salt: "00".repeat(32),
		bucketMs,
		...fields,
	};
}

/** The i-th id of an instant: as a decider mints it, but the same in every run. */
export function idAt(timeMs: number, i: number): string {
	const tail = i.toString(16).padStart(12, "0");
	return `${uuidAtTime(timeMs).slice(0, 13)}-7000-8000-${tail}`;
}

/** A logged decision of an arm, with a context encoded as the definition says. */
export function aDecision(
	definition: Definition,
	fields: {
		readonly id: string;
		readonly arm: string;
		readonly unit?: string;
		readonly context?: JsonObject;
	} & Partial<DecisionRow>,
): DecisionRow {
	const arms = definition.experiment.arms.length;
	const context = fields.context ?? {};
	return {
		experiment: definition.experiment.key,
		version: definition.version,
		definitionId: definition.id,
		unit: "unit-1",
		session: null,
		group: "policy",
		propensity: 1 / arms,
		distribution: "policy",
		context,
		x: compileEncoder(definition.experiment.context).encode(context).x,
		eligible: definition.experiment.arms.map((_, i) => i),
		excluded: {},
		means: new Float64Array(arms),
		propensities: new Float64Array(arms).fill(1 / arms),
		policyPropensities: null,
		missing: [],
		degraded: [],
		decidedAt: timeOfId(fields.id),
		origin: "server",
		parent: null,
		traceId: null,
		requestId: null,
		consent: null,
		privacyVersion: null,
		extra: null,
		revision: 0,
		referenceBucket: Math.floor(timeOfId(fields.id) / definition.bucketMs),
		coreVersion: "e1k3d2",
		...fields,
	};
}

export function anEvent(
	decision: DecisionRow,
	type: string,
	fields: Partial<Event> = {},
): Event {
	return {
		id: `${type}-${decision.id}`,
		type,
		at: decision.decidedAt + 1_000,
		unit: decision.unit,
		decisionId: decision.id,
		...fields,
	};
}
