/** A log for tests: says nothing but errors. */
export const quiet = {
	info: () => undefined,
	warn: () => undefined,
	error: (fields: object, message: string) => console.error(message, fields),
};
