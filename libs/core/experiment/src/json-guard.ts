import { isUnstorable } from "#core/context";
import type { Problem } from "./experiment.js";

export const MOST_DEPTH = 32;
const MOST_NODES = 100_000;
const UNSAFE_KEYS = new Set(["__proto__", "constructor", "prototype"]);
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
	const found = visit(value, 0, { nodes: 0 });
	if (found === null) return null;
	const keys = found.trail?.reverse() ?? [];
	return {
		path: cut(keys.reduce<string>(joinPath, path)),
		message: found.message,
	};
}

/** What is wrong, and the keys that lead there, the last first: put together on the way back, since every message is walked. Null: nowhere in particular. */
interface Found {
	readonly message: string;
	readonly trail: (string | number)[] | null;
}

const found = (message: string): Found => ({ message, trail: [] });

function visit(
	value: unknown,
	depth: number,
	walk: { nodes: number },
): Found | null {
	if (++walk.nodes > MOST_NODES)
		return {
			message: `Holds more than ${MOST_NODES} values; send less.`,
			trail: null,
		};
	if (typeof value !== "object" || value === null) {
		const message = scalarProblem(value);
		return message === null ? null : found(message);
	}
	if (depth > MOST_DEPTH)
		return found(`Nested deeper than ${MOST_DEPTH} levels; flatten it.`);
	if (Array.isArray(value)) {
		for (let index = 0; index < value.length; index++) {
			const problem = visit(value[index], depth + 1, walk);
			if (problem !== null) return under(index, problem);
		}
		return null;
	}
	if (!isPlainObject(value)) return found("Not a JSON value.");
	for (const key of Object.keys(value)) {
		if (isUnstorable(key))
			return found("A key holds a NUL or half of a surrogate pair; rename it.");
		const problem = UNSAFE_KEYS.has(key)
			? found(`The key ${key} is not allowed; rename it.`)
			: visit(value[key], depth + 1, walk);
		if (problem !== null) return under(key, problem);
	}
	return null;
}

function under(key: string | number, problem: Found): Found {
	problem.trail?.push(key);
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
