import type { ByteWriter } from "./byte-writer.js";
import type { DecisionRow } from "./decision-row.js";
import { packNumbers } from "./number-pack.js";

/** What a pack's row consists of, in the order of its list; the numbers follow as one text. Names would be a fifth of the bytes. */
const FIELDS = [
	"id",
	"experiment",
	"version",
	"definitionId",
	"unit",
	"session",
	"group",
	"arm",
	"propensity",
	"distribution",
	"context",
	"excluded",
	"missing",
	"degraded",
	"decidedAt",
	"origin",
	"parent",
	"traceId",
	"requestId",
	"consent",
	"privacyVersion",
	"extra",
	"revision",
	"referenceBucket",
	"coreVersion",
] as const satisfies readonly (keyof DecisionRow)[];

/** `[…fields, "numbers"]`. */
export function writeRow(row: DecisionRow, writer: ByteWriter): void {
	const fields = JSON.stringify([
		row.id,
		row.experiment,
		row.version,
		row.definitionId,
		row.unit,
		row.session,
		row.group,
		row.arm,
		row.propensity,
		row.distribution,
		row.context,
		row.excluded,
		row.missing,
		row.degraded,
		row.decidedAt,
		row.origin,
		row.parent,
		row.traceId,
		row.requestId,
		row.consent,
		row.privacyVersion,
		row.extra,
		row.revision,
		row.referenceBucket,
		row.coreVersion,
		"",
	]);
	writer.text(fields);
	// The numbers go between the last quotes; to cut and join the text instead would copy it twice.
	writer.takeBack(2);
	writer.base64(packNumbers(row));
	writer.text('"]');
}

/** The row by names, `numbers` still as text; null where the list has not as many entries as a row. */
export function nameFields(
	list: readonly unknown[],
): Readonly<Record<string, unknown>> | null {
	if (list.length !== FIELDS.length + 1) return null;
	const named: Record<string, unknown> = { numbers: list[FIELDS.length] };
	FIELDS.forEach((field, place) => {
		named[field] = list[place];
	});
	return named;
}

const UNIT = FIELDS.indexOf("unit");

/** Where the unit stands in a list that is a row, whether or not the row can be read; null for any other list. */
export function unitPlace(list: readonly unknown[]): number | null {
	const isRow =
		list.length === FIELDS.length + 1 &&
		typeof list[0] === "string" &&
		typeof list[FIELDS.length] === "string";
	return isRow ? UNIT : null;
}
