/** This process's environment for a child, with changes; undefined takes a variable away. */
export function environment(
	changes: Readonly<Record<string, string | undefined>>,
): NodeJS.ProcessEnv {
	// biome-ignore lint/style/noProcessEnv: handed on as a whole to a child, which reads it in its own config.
	return { ...process.env, ...changes };
}
