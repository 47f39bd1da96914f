import type { Group, JsonObject, JsonValue } from "#core/experiment";
import { GRID } from "#core/linalg";
import type { DecisionRow } from "#core/log";

/** A row of `decisions` as pg gives it. */
export interface DecisionRecord {
	id: string;
	experiment: string;
	version: number;
	definition_id: number;
	unit: string;
	session: string | null;
	assigned_group: Group;
	arm: string;
	propensity: number;
	distribution: DecisionRow["distribution"];
	context: JsonObject;
	x: Buffer;
	eligible: Buffer;
	excluded: { [arm: string]: string };
	means: Buffer;
	propensities: Buffer;
	policy_propensities: Buffer | null;
	missing: string[];
	degraded: string[];
	decided_at: Date;
	origin: DecisionRow["origin"];
	parent: string | null;
	trace_id: string | null;
	request_id: string | null;
	consent: { [purpose: string]: boolean } | null;
	privacy_version: string | null;
	extra: JsonValue;
	revision: number;
	reference_bucket: number;
	core_version: string;
}

export const decisionColumns = [
	"id",
	"experiment",
	"version",
	"definition_id",
	"unit",
	"session",
	"assigned_group",
	"arm",
	"propensity",
	"distribution",
	"context",
	"x",
	"eligible",
	"excluded",
	"means",
	"propensities",
	"policy_propensities",
	"missing",
	"degraded",
	"decided_at",
	"origin",
	"parent",
	"trace_id",
	"request_id",
	"consent",
	"privacy_version",
	"extra",
	"revision",
	"reference_bucket",
	"core_version",
] as const;

export function toDecisionRow(record: DecisionRecord): DecisionRow {
	return {
		id: record.id,
		experiment: record.experiment,
		version: record.version,
		definitionId: record.definition_id,
		unit: record.unit,
		session: record.session,
		group: record.assigned_group,
		arm: record.arm,
		propensity: record.propensity,
		distribution: record.distribution,
		context: record.context,
		x: fromGridBytes(record.x),
		eligible: fromIndexBytes(record.eligible),
		excluded: record.excluded,
		means: fromGridBytes(record.means),
		propensities: fromDoubleBytes(record.propensities),
		policyPropensities:
			record.policy_propensities === null
				? null
				: fromDoubleBytes(record.policy_propensities),
		missing: record.missing,
		degraded: record.degraded,
		decidedAt: record.decided_at.getTime(),
		origin: record.origin,
		parent: record.parent,
		traceId: record.trace_id,
		requestId: record.request_id,
		consent: record.consent,
		privacyVersion: record.privacy_version,
		extra: record.extra,
		revision: record.revision,
		referenceBucket: record.reference_bucket,
		coreVersion: record.core_version,
	};
}

export function doubleBytes(values: Float64Array): Buffer {
	const bytes = Buffer.allocUnsafe(values.length * 8);
	for (let i = 0; i < values.length; i++)
		bytes.writeDoubleLE(values[i] as number, i * 8);
	return bytes;
}

export function fromGridBytes(bytes: Buffer): Float64Array {
	return fromGridBytesEach([bytes])[0] as Float64Array;
}

/** Parts of one array: each of its own is one more for the collector. */
export function fromGridBytesEach(list: readonly Buffer[]): Float64Array[] {
	const length = list.reduce((sum, bytes) => sum + bytes.length / 4, 0);
	const all = new Float64Array(length);
	let end = 0;
	return list.map((bytes) => {
		const from = end;
		for (let at = 0; at < bytes.length; at += 4)
			all[end++] = bytes.readInt32LE(at) * GRID;
		return all.subarray(from, end);
	});
}

export function fromDoubleBytes(bytes: Buffer): Float64Array {
	const values = new Float64Array(bytes.length / 8);
	for (let i = 0; i < values.length; i++) values[i] = bytes.readDoubleLE(i * 8);
	return values;
}

export function fromIndexBytes(bytes: Buffer): number[] {
	return Array.from({ length: bytes.length / 2 }, (_, i) =>
		bytes.readInt16LE(i * 2),
	);
}
