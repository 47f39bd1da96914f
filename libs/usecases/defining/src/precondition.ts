import { diffExperiment } from "#core/experiment";
import { fail } from "#usecases/errors";
import type { DefinitionHistory, StoredDefinition } from "./ports.js";

/** Headers of an edit, as they came: `If-Match: "7"` or `*`; `If-None-Match: *`. */
export interface Precondition {
	readonly ifMatch?: string;
	readonly ifNoneMatch?: string;
}

/** A change of an experiment: who asks for it and why, and for which definition it was made. */
export interface ChangeRequest extends Precondition {
	readonly key: string;
	/** For the audit. */
	readonly actor: string;
	readonly why: string;
}

/** The entity tag of a definition row: a strong one, since a row never changes. */
export function etagOf({ id }: StoredDefinition): string {
	return `"${id}"`;
}

/** Thrown inside the store's lock; becomes an edit-conflict once what changed has been looked up. */
export class Stale extends Error {
	constructor(readonly current: StoredDefinition | null) {
		super("The definition is not the one the edit was made for.");
	}
}

/** RFC 9110 §13: If-Match compares strongly, so a weak tag never matches; If-None-Match is read as `*` only. */
export function holds(
	{ ifMatch, ifNoneMatch }: Precondition,
	current: StoredDefinition | null,
): boolean {
	if (
		ifNoneMatch !== undefined &&
		ifNoneMatch.trim() === "*" &&
		current !== null
	)
		return false;
	if (ifMatch === undefined) return true;
	if (current === null) return false;
	return ifMatch.trim() === "*" || idsIn(ifMatch).includes(current.id);
}

/** Runs an edit; where its precondition did not hold, says what changed since the definition it was made for. */
export async function explainingConflict<T>(
	key: string,
	{ ifMatch }: Precondition,
	history: DefinitionHistory,
	edit: () => Promise<T>,
): Promise<T> {
	try {
		return await edit();
	} catch (error) {
		if (!(error instanceof Stale)) throw error;
		const { current } = error;
		if (current === null)
			throw fail(
				"edit-conflict",
				`There is no experiment "${key}" yet, so no If-Match can hold. Leave it out to create one.`,
			);
		if (ifMatch === undefined)
			throw fail(
				"edit-conflict",
				`The experiment "${key}" exists already, and If-None-Match asks that it does not.`,
			);
		const asked = idsIn(ifMatch);
		if (asked.length === 0)
			throw fail(
				"edit-conflict",
				`If-Match, ${ifMatch.slice(0, 100)}, is no ETag of Segue: send it as it was given, in double quotes and without W/, such as ${etagOf(current)}, which is that of "${key}" now.`,
			);
		const rows = await history.byIds(asked);
		const before = rows
			.filter(({ experiment }) => experiment.key === key)
			.sort((a, b) => b.id - a.id)[0];
		throw fail(
			"edit-conflict",
			`The experiment "${key}" is not what it was at ${ifMatch.slice(0, 100)}: ${changesSince(before, current)} Its ETag is ${etagOf(current)} now; ${current.actor} was the last to change it (${current.action}).`,
			before === undefined
				? []
				: sentences(before, current).map((message) => ({ path: "", message })),
		);
	}
}

function changesSince(
	before: StoredDefinition | undefined,
	current: StoredDefinition,
): string {
	if (before === undefined) return "no definition of it has that ETag.";
	const said = sentences(before, current);
	return said.length === 0
		? "it was changed and changed back."
		: `${said.join("; ")}.`;
}

/** What differs between two rows of one experiment, a sentence each. */
export function sentences(
	before: StoredDefinition,
	current: StoredDefinition,
): string[] {
	const moved = (["state", "winner", "held"] as const).filter(
		(field) => before[field] !== current[field],
	);
	return [
		...moved.map(
			(field) =>
				`${field}: ${before[field] ?? "none"} → ${current[field] ?? "none"}`,
		),
		...diffExperiment(before.experiment, current.experiment).changes,
		...(before.run === current.run
			? []
			: [`run: ${before.run} → ${current.run}`]),
	];
}

function idsIn(ifMatch: string): number[] {
	return ifMatch
		.split(",")
		.slice(0, 16)
		.flatMap(
			(tag) => /^\s*"(\d{1,15})"\s*$/.exec(tag)?.slice(1, 2).map(Number) ?? [],
		);
}
