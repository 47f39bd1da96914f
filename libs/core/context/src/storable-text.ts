/** Whether a text holds a NUL or half of a surrogate pair: PostgreSQL's jsonb refuses both. */
export function isUnstorable(text: string): boolean {
	return text.includes("\u0000") || !text.isWellFormed();
}
