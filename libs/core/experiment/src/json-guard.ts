import type { Problem } from "./experiment.js";

export const MOST_DEPTH = 32;
const MOST_NODES = 100_000;
const UNSAFE_KEYS = new Set<string | number>([
	"__proto__",
	"constructor",
	"prototype",
]);
/** A NUL, or half of a surrogate pair: PostgreSQL's jsonb refuses both. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is what is looked for.
const MAYBE_UNSTORABLE = /[\u0000\ud800-\udfff]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
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
 * It goes no deeper than the bound, so it cannot overflow the call stack.
 */
export function findJsonProblem(value: unknown, path = ""): Problem | null {
	const walk: Walk = { trail: [], nodes: 0 };
	const message = visit(value, walk);
	if (message === null) return null;
	return { path: cut(walk.trail.reduce<string>(joinPath, path)), message };
}

interface Walk {
	/** Keys from the root to the value at hand; rendered as a path only where something is wrong, since every message is walked. */
	readonly trail: (string | number)[];
	nodes: number;
}

/** What is wrong with the value at the end of the trail or below it; the trail then ends where it is. */
function visit(value: unknown, walk: Walk): string | null {
	if (++walk.nodes > MOST_NODES) {
		walk.trail.length = 0;
		return `Holds more than ${MOST_NODES} values; send less.`;
	}
	if (typeof value !== "object" || value === null) return scalarProblem(value);
	if (walk.trail.length > MOST_DEPTH)
		return `Nested deeper than ${MOST_DEPTH} levels; flatten it.`;
	if (Array.isArray(value)) {
		for (let index = 0; index < value.length; index++) {
			const problem = descend(index, value[index], walk);
			if (problem !== null) return problem;
		}
		return null;
	}
	if (!isPlainObject(value)) return "Not a JSON value.";
	for (const key of Object.keys(value)) {
		if (isUnstorable(key))
			return "A key holds a NUL or half of a surrogate pair; rename it.";
		const problem = descend(key, value[key], walk);
		if (problem !== null) return problem;
	}
	return null;
}

function descend(
	key: string | number,
	child: unknown,
	walk: Walk,
): string | null {
	walk.trail.push(key);
	const problem = UNSAFE_KEYS.has(key)
		? `The key ${key} is not allowed; rename it.`
		: visit(child, walk);
	if (problem === null) walk.trail.pop();
	return problem;
}

function scalarProblem(value: unknown): string | null {
	switch (typeof value) {
		case "string":
			return isUnstorable(value)
				? "Holds a NUL or half of a surrogate pair; remove it."
				: null;
		case "number":
			return Number.isFinite(value) ? null : `${value} is not a finite number.`;
		case "boolean":
		case "object":
			return null;
		default:
			return `A value of type ${typeof value} is not JSON.`;
	}
}

/** The first test is cheap and lets nearly every text through. */
function isUnstorable(text: string): boolean {
	return MAYBE_UNSTORABLE.test(text) && UNSTORABLE.test(text);
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
