import type { Cell } from "./csv-cell.js";

export const COLUMNS = [
	"experiment",
	"version",
	"run",
	"revision",
	"row",
	"metric",
	"role",
	"group",
	"arm",
	"segment",
	"decisions",
	"share_of_group_decisions",
	"learned_decisions",
	"units",
	"total",
	"estimate",
	"standard_error",
	"low",
	"high",
	"confidence",
	"p_value",
	"interval",
	"observation",
	"note",
	"footnote",
] as const;

export type Row = Partial<Record<(typeof COLUMNS)[number], Cell>>;
