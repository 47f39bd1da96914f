import { PostgresDeadLetters } from "#adapters/postgres";
import { parseDuration } from "#core/experiment";
import { parseInstant } from "#core/log";
import { type LetterFilter, Redrive } from "#usecases/redriving";
import { openInstanceWithStream, withInstance } from "./cli-instance.js";
import { letterAsJson, letterInWords } from "./show-dead-letter.js";

const MOST_LISTED = 100_000;

export interface ListOptions {
	readonly reason?: string;
	readonly since?: string;
	readonly limit: number;
	readonly json?: boolean;
}

/** Shows dead letters, newest first. */
export async function listDeadLetters(options: ListOptions): Promise<number> {
	const since =
		options.since === undefined ? undefined : instantOf(options.since);
	const most = Math.min(options.limit, MOST_LISTED);
	return withInstance(async (database) => {
		const letters = await new PostgresDeadLetters(database).newest(
			{ reason: options.reason, since },
			most,
		);
		if (options.json)
			console.log(JSON.stringify({ letters: letters.map(letterAsJson) }));
		else if (letters.length === 0) console.log("No dead letters.");
		else for (const letter of letters) console.log(letterInWords(letter));
		return 0;
	});
}

export interface RedriveOptions {
	readonly id?: readonly number[];
	readonly reason?: string;
	readonly all?: boolean;
	readonly again?: boolean;
	readonly json?: boolean;
}

/** Publishes dead letters again. 0 where every one was, 1 where one was not. */
export async function redriveDeadLetters(
	options: RedriveOptions,
): Promise<number> {
	const filter = filterOf(options);
	const { database, stream } = await openInstanceWithStream();
	try {
		const letters = new PostgresDeadLetters(database);
		const done = await new Redrive(letters, stream).execute(filter);
		const tried = new Set([
			...done.redriven,
			...done.refused.map(({ id }) => id),
		]);
		const skipped =
			done.stopped === null
				? (options.id ?? []).filter((id) => !tried.has(id))
				: [];
		if (options.json) console.log(JSON.stringify({ ...done, skipped }));
		else {
			console.log(`Published again: ${done.redriven.length}.`);
			for (const { id, why } of done.refused)
				console.log(`Not published again: ${id}. ${why}`);
			if (skipped.length > 0)
				console.log(
					`Left alone: ${skipped.join(", ")}. There is no such dead letter, or it was published again before; --again repeats that.`,
				);
			if (done.stopped !== null)
				console.error(
					`Stopped: ${done.stopped} What was published is marked; run the same command once more for the rest.`,
				);
		}
		return done.stopped === null && done.refused.length === 0 ? 0 : 1;
	} finally {
		await stream.close();
		await database.close();
	}
}

function filterOf({ id, reason, all, again }: RedriveOptions): LetterFilter {
	const ways = [id, reason, all].filter((way) => way !== undefined).length;
	if (ways !== 1)
		throw new Error(
			"Say which dead letters to publish again: --id N (several with spaces), or --reason R, or --all; one of them.",
		);
	return { ids: id, reason, waiting: !again };
}

/** An instant, or how long ago. */
function instantOf(text: string): number {
	const ago = parseDuration(text);
	const at = ago === null ? parseInstant(text) : Date.now() - ago;
	if (at === null)
		throw new Error(
			`--since ${text} is no time: give a duration such as 2h or 7d, or an instant such as 2026-01-05T07:30:00Z.`,
		);
	return at;
}
