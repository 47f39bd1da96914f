import { type ASTNode, Environment } from "@marcbachmann/cel-js";
import { hasValue } from "#core/context";
import type { ContextSchema, ValueFeature } from "./experiment.js";
import { unknownKeyMessage } from "./nearest-key.js";

/** Bounds what one evaluation can cost: rules run for every arm of every decision. */
const LIMITS = {
	maxAstNodes: 300,
	maxDepth: 32,
	maxListElements: 256,
	maxMapEntries: 64,
	maxCallArguments: 16,
};
const COMPREHENSIONS = new Set([
	"all",
	"exists",
	"exists_one",
	"map",
	"filter",
]);

export type CompiledRule = (context: {
	readonly [name: string]: unknown;
}) => unknown;

/** Parses a rule once; throws CEL's ParseError, whose message shows line and caret. Names are looked up when it runs. */
export function compileRule(text: string): CompiledRule {
	const parsed = untyped.parse(text);
	return (context) => parsed({ context }) as unknown;
}

/** Why a rule cannot be taken over this context schema, as sentences; none when it can. */
export function ruleProblems(text: string, schema: ContextSchema): string[] {
	const names = schema.features.filter(hasValue).map(({ name }) => name);
	try {
		const parsed = typedEnvironment(schema).parse(text);
		const problems = readsProblems(parsed.ast, names);
		if (problems.length > 0) return problems;
		const checked = parsed.check();
		if (!checked.valid)
			return [
				`The rule does not fit the context: ${checked.error?.message ?? "type error"}`,
			];
		if (checked.type === "bool" || checked.type === "dyn") return [];
		return [
			`The rule must say true or false, but gives ${checked.type}: compare it with something.`,
		];
	} catch (error) {
		return [
			`The rule does not parse: ${error instanceof Error ? error.message : String(error)}`,
		];
	}
}

const untyped = withMixedArithmetic(
	new Environment({ limits: LIMITS }),
).registerVariable("context", "map<string, dyn>");

function typedEnvironment(schema: ContextSchema): Environment {
	const fields = Object.fromEntries(
		schema.features
			.filter(hasValue)
			.map((feature) => [feature.name, celType(feature)]),
	);
	const environment = withMixedArithmetic(new Environment({ limits: LIMITS }));
	if (schema.features.length === 0)
		return environment.registerVariable("context", "map<string, dyn>");
	return environment.registerVariable({ name: "context", schema: fields });
}

/** CEL has no `double * int` or `double == int`, and people write `context.tempo * 2`. */
function withMixedArithmetic(environment: Environment): Environment {
	const operators: Record<string, (a: number, b: number) => number> = {
		"+": (a, b) => a + b,
		"-": (a, b) => a - b,
		"*": (a, b) => a * b,
		"/": (a, b) => a / b,
	};
	for (const [symbol, apply] of Object.entries(operators)) {
		const mixed = (a: unknown, b: unknown) => apply(Number(a), Number(b));
		environment.registerOperator(`double ${symbol} int: double`, mixed);
		environment.registerOperator(`int ${symbol} double: double`, mixed);
	}
	// Also gives int == double and both !=.
	environment.registerOperator(
		"double == int",
		(a: unknown, b: unknown) => Number(a) === Number(b),
	);
	return environment;
}

function celType(feature: ValueFeature): string {
	switch (feature.kind) {
		case "number":
		case "cyclic":
		case "timeOfDay":
			return "double";
		case "boolean":
			return "bool";
		case "category":
			return "string";
		case "attribute":
			return feature.type === "number" ? "double" : "string";
		case "vector":
			return "list<double>";
	}
}

/** Names read that the context does not declare, and the few things of CEL that could cost unbounded time. */
function readsProblems(root: ASTNode, names: readonly string[]): string[] {
	const problems = new Set<string>();
	const visit = (node: unknown, nested: boolean): void => {
		if (Array.isArray(node)) {
			for (const child of node) visit(child, nested);
			return;
		}
		if (!isNode(node)) return;
		const read = contextRead(node);
		if (read !== null && !names.includes(read))
			problems.add(undeclared(read, names));
		let inside = nested;
		if (node.op === "rcall") {
			const name = node.args[0];
			if (name === "matches")
				problems.add(
					"matches is not available in rules, since a pattern can take unbounded time: use startsWith, endsWith, contains or in.",
				);
			if (COMPREHENSIONS.has(name)) {
				if (nested)
					problems.add(
						`${name} inside another comprehension is not available in rules: use one level.`,
					);
				inside = true;
			}
		}
		visit(node.args, inside);
	};
	visit(root, false);
	return [...problems];
}

function isNode(value: unknown): value is ASTNode {
	return (
		typeof value === "object" &&
		value !== null &&
		"op" in value &&
		"args" in value
	);
}

/** NAME of `context.NAME` or `context["NAME"]`, else null. */
function contextRead(node: ASTNode): string | null {
	if (
		node.op === "." &&
		node.args[0].op === "id" &&
		node.args[0].args === "context"
	)
		return node.args[1];
	if (node.op !== "[]") return null;
	const [object, key] = node.args;
	if (object.op !== "id" || object.args !== "context" || key.op !== "value")
		return null;
	return typeof key.args === "string" ? key.args : null;
}

function undeclared(name: string, names: readonly string[]): string {
	if (names.length === 0)
		return `The rule reads context.${name}, but the context declares no feature.`;
	return `The rule reads context.${name}, which the context does not declare. ${unknownKeyMessage(name, names)}`;
}
