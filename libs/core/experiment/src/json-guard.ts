import type { Problem } from "./experiment.js";

export const MOST_DEPTH = 32;
const MOST_NODES = 100_000;
const UNSAFE_KEYS = new Set(["__proto__", "constructor", "prototype"]);
/** A NUL, or half of a surrogate pair: PostgreSQL's jsonb refuses both. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is what is looked for.
const UNSTORABLE = /\u0000|\p{Surrogate}/u;

export function isPlainObject(
	value: unknown,
): value is { readonly [key: string]: unknown } {
	if (typeof value !== "object" || value === null) return false;
	const prototype: unknown = Object.getPrototypeOf(value);
	return prototype === Object.prototype || prototype === null;
}

/** `arms[1].key`; the parent's path first, empty for the whole. */
export function joinPath(parent: string, key: string | number): string {
	if (typeof key === "number") return `${parent}[${key}]`;
	return parent === "" ? key : `${parent}.${key}`;
}

/**
 * The first reason why `value` is no JSON that can be stored and walked safely, or null: nested deeper than 32, more than
 * 100,000 values (shared parts count each time), NaN or infinite, a key such as `__proto__`, a NUL or lone surrogate.
 * Uses a stack of its own, so that depth costs no call stack.
 */
export function findJsonProblem(value: unknown, path = ""): Problem | null {
	const waiting: { value: unknown; path: string; depth: number }[] = [
		{ value, path, depth: 0 },
	];
	let nodes = 0;
	for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
		const at = node.path;
		if (++nodes > MOST_NODES)
			return {
				path,
				message: `Holds more than ${MOST_NODES} values; send less.`,
			};
		if (node.depth > MOST_DEPTH)
			return {
				path: cut(at),
				message: `Nested deeper than ${MOST_DEPTH} levels; flatten it.`,
			};
		const problem = scalarProblem(node.value);
		if (problem !== null) return { path: cut(at), message: problem };
		if (typeof node.value !== "object" || node.value === null) continue;
		const entries: [string | number, unknown][] = Array.isArray(node.value)
			? node.value.map((item: unknown, index) => [index, item])
			: Object.entries(node.value);
		for (const [key, child] of entries.reverse()) {
			if (typeof key === "string" && UNSAFE_KEYS.has(key))
				return {
					path: cut(joinPath(at, key)),
					message: `The key ${key} is not allowed; rename it.`,
				};
			if (typeof key === "string" && UNSTORABLE.test(key))
				return {
					path: cut(at),
					message: "A key holds a NUL or half of a surrogate pair; rename it.",
				};
			waiting.push({
				value: child,
				path: joinPath(at, key),
				depth: node.depth + 1,
			});
		}
	}
	return null;
}

function scalarProblem(value: unknown): string | null {
	switch (typeof value) {
		case "string":
			return UNSTORABLE.test(value)
				? "Holds a NUL or half of a surrogate pair; remove it."
				: null;
		case "number":
			return Number.isFinite(value) ? null : `${value} is not a finite number.`;
		case "boolean":
			return null;
		case "object":
			return value === null || Array.isArray(value) || isPlainObject(value)
				? null
				: "Not a JSON value.";
		default:
			return `A ${typeof value} is not a JSON value.`;
	}
}

function cut(path: string): string {
	return path.length <= 200 ? path : `${path.slice(0, 200)}…`;
}

/** Freezes a JSON value to its leaves. */
export function deepFreeze<T>(value: T): T {
	if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
		Object.freeze(value);
		for (const child of Object.values(value)) deepFreeze(child);
	}
	return value;
}
