import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

export const root = fileURLToPath(new URL("../../", import.meta.url));

export interface Source {
	/** From the project's root, with slashes. */
	readonly path: string;
	readonly text: string;
	readonly tree: ts.SourceFile;
}

/** Every TypeScript file of apps and libs that is shipped: no tests, no test support. */
export function shippedSources(): Source[] {
	return ["apps", "libs"].flatMap((folder) => below(folder));
}

function below(folder: string): Source[] {
	return readdirSync(join(root, folder), { withFileTypes: true }).flatMap(
		(entry) => {
			const path = `${folder}/${entry.name}`;
			if (entry.isDirectory()) return entry.name === "test" ? [] : below(path);
			const isShipped = /\.ts$/.test(path) && !/\.(test|suite)\.ts$/.test(path);
			if (!isShipped) return [];
			const text = readFileSync(join(root, path), "utf8");
			return [parse(path, text)];
		},
	);
}

export function parse(path: string, text: string): Source {
	const target = ts.ScriptTarget.ES2022;
	return { path, text, tree: ts.createSourceFile(path, text, target, true) };
}

/** Every node of a file for which `matches` is true, as `path:line`. */
export function places(
	source: Source,
	matches: (node: ts.Node) => boolean,
): string[] {
	const found: string[] = [];
	const visit = (node: ts.Node) => {
		if (matches(node)) {
			const start = node.getStart(source.tree);
			const { line } = source.tree.getLineAndCharacterOfPosition(start);
			found.push(`${source.path}:${line + 1}`);
		}
		ts.forEachChild(node, visit);
	};
	visit(source.tree);
	return found;
}
