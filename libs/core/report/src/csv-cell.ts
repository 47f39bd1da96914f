export type Cell = string | number | null;

/**
 * A cell as spreadsheets read it safely: text that begins like a formula gets an apostrophe before it (OWASP, "CSV Injection"),
 * numbers stay numbers, and whatever needs quotes has them.
 */
export function csvCell(value: Cell): string {
	if (value === null) return "";
	if (typeof value === "number") return String(value);
	const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
	return /[",\r\n\t']/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
