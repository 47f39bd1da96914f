import { Lexer, LineCounter, Parser, parseDocument } from "yaml";
import type { Experiment, Parsed, Problem } from "./experiment.js";
import { parseExperiment } from "./parse-experiment.js";

const MOST_TEXT = 262_144;
const MOST_ALIASES = 100;
/** Open nodes while parsing: an experiment needs about 10, its payloads may nest 32 deep. */
const MOST_OPEN = 128;
/** The check for repeated keys is quadratic in the keys of a mapping. 1,000 arms of four keys need about 30,000. */
const MOST_LEXEMES = 100_000;
/** One slip can make a fault of every line that follows. */
const MOST_FAULTS = 20;

/** An experiment from YAML 1.2 text. Problems of the text itself name line and column and have an empty path. */
export function parseExperimentYaml(text: string): Parsed<Experiment> {
	const read = readYaml(text);
	return read.ok ? parseExperiment(read.value) : read;
}

export type ReadYaml =
	| { readonly ok: true; readonly value: unknown }
	| { readonly ok: false; readonly problems: readonly Problem[] };

/** What a YAML 1.2 text says, within bounds; not yet judged. */
export function readYaml(text: string): ReadYaml {
	if (text.length > MOST_TEXT)
		return refuse(
			`The text has ${text.length} characters; at most ${MOST_TEXT} are read.`,
		);
	const tooMuch = costProblem(text);
	if (tooMuch !== null) return refuse(tooMuch);
	const document = parseDocument(text, {
		prettyErrors: true,
		lineCounter: new LineCounter(),
	});
	const faults = [...document.errors, ...document.warnings].slice(
		0,
		MOST_FAULTS,
	);
	if (faults.length > 0)
		return {
			ok: false,
			problems: faults.map(({ message }) => ({
				path: "",
				message: message.trim(),
			})),
		};
	let raw: unknown;
	try {
		raw = document.toJS({ maxAliasCount: MOST_ALIASES });
	} catch (error) {
		return refuse(`The YAML cannot be read: ${(error as Error).message}`);
	}
	return { ok: true, value: raw };
}

/**
 * The composer behind parseDocument recurses once a level and runs regular expressions at the bottom; where the call stack is
 * nearly used up, V8 ends the whole process there instead of throwing (seen with 50,000 brackets). The parser itself keeps a
 * stack of its own, which says the depth before anything recurses.
 */
function costProblem(text: string): string | null {
	const parser = new Parser();
	let lexemes = 0;
	for (const lexeme of new Lexer().lex(text)) {
		if (++lexemes > MOST_LEXEMES)
			return `The YAML has more than ${MOST_LEXEMES} words and signs; write less.`;
		for (const _ of parser.next(lexeme));
		if (parser.stack.length > MOST_OPEN)
			return "The YAML is nested too deeply; flatten it.";
	}
	return null;
}

function refuse(message: string): ReadYaml {
	return { ok: false, problems: [{ path: "", message }] };
}
