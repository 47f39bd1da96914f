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

/** What a row's fields are called, as earlier versions wrote them. */
export const ROW_KEYS: readonly string[] = [
	...FIELDS,
	...[
		"x",
		"eligible",
		"means",
		"propensities",
		"policyPropensities",
		"numbers",
	],
];

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
): Readonly<Record<(typeof FIELDS)[number] | "numbers", unknown>> | null {
	if (list.length !== FIELDS.length + 1) return null;
	// Written out, in the order of FIELDS: an object made key by key is several times as dear.
	return {
		id: list[0],
		experiment: list[1],
		version: list[2],
		definitionId: list[3],
		unit: list[4],
		session: list[5],
		group: list[6],
		arm: list[7],
		propensity: list[8],
		distribution: list[9],
		context: list[10],
		excluded: list[11],
		missing: list[12],
		degraded: list[13],
		decidedAt: list[14],
		origin: list[15],
		parent: list[16],
		traceId: list[17],
		requestId: list[18],
		consent: list[19],
		privacyVersion: list[20],
		extra: list[21],
		revision: list[22],
		referenceBucket: list[23],
		coreVersion: list[24],
		numbers: list[25],
	};
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
