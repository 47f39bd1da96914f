import ts from "typescript";
import { places, type Source } from "./sources.js";

/** A rule of the house that lint cannot say: from a file to the places that break it. */
export interface Rule {
	readonly sentence: string;
	readonly broken: (source: Source) => string[];
	/** A file that breaks it, so that the rule itself is tested. */
	readonly example: { readonly path: string; readonly text: string };
}

const LONGEST_FILE = 300;
const MOST_PORTS = 5;

const inCore = (source: Source) => source.path.startsWith("libs/core/");

export const rules: readonly Rule[] = [
	{
		sentence: "nothing is called forwardRef",
		broken: (source) =>
			places(
				source,
				(node) => ts.isIdentifier(node) && node.text === "forwardRef",
			),
		example: { path: "apps/a.ts", text: "inject(forwardRef(() => A));" },
	},
	{
		sentence: "no class is named …Service: a use case is a verb",
		broken: (source) =>
			places(
				source,
				(node) =>
					ts.isClassDeclaration(node) &&
					(node.name?.text.endsWith("Service") ?? false),
			),
		example: {
			path: "libs/usecases/a.ts",
			text: "export class EventService {}",
		},
	},
	{
		sentence: "process.env is read in libs/adapters/config only",
		broken: (source) =>
			source.path.startsWith("libs/adapters/config/")
				? []
				: places(source, (node) => isAccess(node, "process", "env")),
		example: { path: "apps/a.ts", text: "const port = process.env.PORT;" },
	},
	{
		sentence: "the core asks neither clock nor chance",
		broken: (source) =>
			inCore(source)
				? places(
						source,
						(node) =>
							isAccess(node, "Date", "now") ||
							isAccess(node, "Math", "random") ||
							(ts.isIdentifier(node) && node.text === "performance") ||
							isNow(node),
					)
				: [],
		example: {
			path: "libs/core/a.ts",
			text: "export const now = () => new Date();",
		},
	},
	{
		sentence: `no file of the core is longer than ${LONGEST_FILE} lines`,
		broken: (source) =>
			inCore(source) && lines(source) > LONGEST_FILE ? [source.path] : [],
		example: { path: "libs/core/a.ts", text: "// why\n".repeat(301) },
	},
	{
		sentence: `a file longer than ${LONGEST_FILE} lines says why on its first line`,
		broken: (source) =>
			lines(source) > LONGEST_FILE && !/^(\/\/|\/\*)/.test(source.text)
				? [source.path]
				: [],
		example: { path: "libs/api/a.ts", text: "a();\n".repeat(301) },
	},
	{
		sentence: "decorators stand under apps/ and libs/api/ only",
		broken: (source) =>
			/^(apps|libs\/api)\//.test(source.path)
				? []
				: places(source, ts.isDecorator),
		example: {
			path: "libs/usecases/a.ts",
			text: "@Injectable()\nexport class Decide {}",
		},
	},
	{
		sentence: `a constructor takes at most ${MOST_PORTS} parameters: a sixth means two jobs`,
		broken: (source) =>
			places(
				source,
				(node) =>
					ts.isConstructorDeclaration(node) &&
					node.parameters.length > MOST_PORTS,
			),
		example: {
			path: "libs/usecases/a.ts",
			text: "class A { constructor(a: B, b: B, c: B, d: B, e: B, f: B) {} }",
		},
	},
	{
		sentence: "nothing is left to be done later",
		broken: (source) =>
			/\b(TODO|FIXME|XXX)\b/.test(source.text) ? [source.path] : [],
		example: { path: "apps/a.ts", text: ["// TO", "DO: all"].join("") },
	},
];

function lines(source: Source): number {
	return source.text.trimEnd().split("\n").length;
}

function isAccess(node: ts.Node, object: string, property: string): boolean {
	return (
		ts.isPropertyAccessExpression(node) &&
		node.expression.getText() === object &&
		node.name.text === property
	);
}

/** `new Date()` or `Date()`: without arguments both ask the clock. */
function isNow(node: ts.Node): boolean {
	if (!ts.isNewExpression(node) && !ts.isCallExpression(node)) return false;
	const asked = node.expression.getText() === "Date";
	return asked && (ts.isCallExpression(node) || !node.arguments?.length);
}
