import { type VariableName, variables } from "./variables.js";

/** Reads single variables and gathers what is wrong with them. An empty variable counts as not set. */
export class Reader {
	readonly problems: string[] = [];

	constructor(private readonly environment: NodeJS.ProcessEnv) {}

	/** The text, else the variable's fallback, else null. */
	text(name: VariableName): string | null {
		const set = this.environment[name]?.trim();
		if (set) return set;
		return variables.find((known) => known.name === name)?.fallback ?? null;
	}

	/** A whole number within [least, most]; 0 and a problem otherwise. */
	integer(name: VariableName, least: number, most: number): number {
		const text = this.text(name) ?? "";
		const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
		if (value >= least && value <= most) return value;
		this.problems.push(
			`${name} is "${text}": set it to a whole number from ${least} to ${most}.`,
		);
		return 0;
	}

	/** One of the choices; null where the variable has no fallback and is not set. */
	choice<T extends string>(
		name: VariableName,
		choices: readonly T[],
	): T | null {
		const text = this.text(name);
		if (text === null) return null;
		const found = choices.find((choice) => choice === text);
		if (found === undefined)
			this.problems.push(`${name} is "${text}": set it to ${orList(choices)}.`);
		return found ?? null;
	}

	/** A URL of one of the protocols, or several with commas where `many`. Never quoted in a problem: it may hold a password. */
	url(
		name: VariableName,
		protocols: readonly string[],
		many = false,
	): string | null {
		const text = this.text(name);
		if (text === null) return null;
		const parts = many ? text.split(",").map((part) => part.trim()) : [text];
		if (parts.every((part) => isUrlOf(part, protocols))) return parts.join(",");
		this.problems.push(
			`${name} is not a URL that can be used: it must begin with ${orList(protocols.map((protocol) => `${protocol}//`))} and name a host.`,
		);
		return null;
	}
}

function isUrlOf(text: string, protocols: readonly string[]): boolean {
	try {
		const url = new URL(text);
		const hosted = url.hostname !== "" || url.searchParams.has("host");
		return protocols.includes(url.protocol) && hosted;
	} catch {
		return false;
	}
}

function orList(words: readonly string[]): string {
	if (words.length < 2) return words.join("");
	return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
