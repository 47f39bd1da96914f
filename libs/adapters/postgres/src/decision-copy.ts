import type pg from "pg";
import { GRID } from "#core/linalg";
import type { LoggedDecision } from "#usecases/learning";
import { type CopyColumn, copyRows } from "./binary-copy.js";

interface Stored extends LoggedDecision {
	readonly batch: number;
}

const columns: readonly CopyColumn<Stored>[] = [
	["id", (to, { row }) => to.uuid(row.id)],
	["experiment", (to, { row }) => to.text(row.experiment)],
	["version", (to, { row }) => to.int4(row.version)],
	["definition_id", (to, { row }) => to.int8(row.definitionId)],
	["unit", (to, { row }) => to.text(row.unit)],
	["session", (to, { row }) => to.text(row.session)],
	["assigned_group", (to, { row }) => to.text(row.group)],
	["arm", (to, { row }) => to.text(row.arm)],
	["propensity", (to, { row }) => to.float8(row.propensity)],
	["distribution", (to, { row }) => to.text(row.distribution)],
	["context", (to, { row }) => to.jsonb(row.context)],
	["x", (to, { row }) => to.int32s(row.x, GRID)],
	["eligible", (to, { row }) => to.int16s(row.eligible)],
	["excluded", (to, { row }) => to.jsonb(row.excluded)],
	["means", (to, { row }) => to.int32s(row.means, GRID)],
	["propensities", (to, { row }) => to.float64s(row.propensities)],
	["policy_propensities", (to, { row }) => to.float64s(row.policyPropensities)],
	["missing", (to, { row }) => to.jsonb(row.missing)],
	["degraded", (to, { row }) => to.jsonb(row.degraded)],
	["decided_at", (to, { row }) => to.time(row.decidedAt)],
	["origin", (to, { row }) => to.text(row.origin)],
	["parent", (to, { row }) => to.uuid(row.parent)],
	["trace_id", (to, { row }) => to.text(row.traceId)],
	["request_id", (to, { row }) => to.text(row.requestId)],
	["consent", (to, { row }) => to.jsonb(row.consent)],
	["privacy_version", (to, { row }) => to.text(row.privacyVersion)],
	["extra", (to, { row }) => to.jsonb(row.extra)],
	["revision", (to, { row }) => to.int8(row.revision)],
	["reference_bucket", (to, { row }) => to.int8(row.referenceBucket)],
	["core_version", (to, { row }) => to.text(row.coreVersion)],
	["batch", (to, { batch }) => to.int8(batch)],
	["boot", (to, { publisher }) => to.uuid(publisher.boot)],
	["sequence", (to, { publisher }) => to.int8(publisher.sequence)],
	["stored_at", (to, { source }) => to.time(source.storedAt)],
];

/** Under the locks of their ids, which say that none of them is there. */
export async function copyDecisions(
	client: pg.ClientBase,
	batch: number,
	decisions: readonly LoggedDecision[],
): Promise<void> {
	if (decisions.length === 0) return;
	const rows = decisions.map((decision) => ({ ...decision, batch }));
	await copyRows(client, "decisions", columns, rows);
}
