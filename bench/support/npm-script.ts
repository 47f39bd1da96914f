import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./machine.js";

/** What an npm script gives Node before the program. */
export function nodeArgumentsOf(script: string): readonly string[] {
	const text = readFileSync(join(root, "package.json"), "utf8");
	const { scripts } = JSON.parse(text) as { scripts: Record<string, string> };
	const command = scripts[script];
	if (command === undefined)
		throw new Error(`package.json has no script named ${script}.`);
	return command.split(" ").filter((word) => word.startsWith("--"));
}
