import { MessageTooLarge } from "#usecases/ingesting";
import type { DeadLetters, KeptLetter, LetterFilter, Outlet } from "./ports.js";

const PAGE = 100;
const PUBLISH_MS = 5_000;
const STREAM_SUBJECT = /^segue\.(log|events)\../;

export interface Redriven {
	/** Ids of the letters that the stream took. */
	readonly redriven: readonly number[];
	/** Letters that no stream will take, each with a sentence. */
	readonly refused: readonly { readonly id: number; readonly why: string }[];
	/** Why it ended before all were tried; null where it did not. */
	readonly stopped: string | null;
}

/**
 * Publishes dead letters again, each on its own subject, to be judged anew. What is refused again becomes one more dead letter with
 * its new reason; the old one stays, marked.
 *
 * First the publish, then the mark. After a crash between them the letter is published once more under the same message id, which the
 * stream drops for as long as it remembers it (two minutes), and later the keys of what is in the letter keep it single.
 */
export class Redrive {
	constructor(
		private readonly letters: DeadLetters,
		private readonly outlet: Outlet,
	) {}

	/** Letters that arrive meanwhile, such as those refused again, wait for the next call. */
	async execute(filter: LetterFilter): Promise<Redriven> {
		const lastId = await this.letters.lastId();
		const redriven: number[] = [];
		const refused: { id: number; why: string }[] = [];
		for (let afterId = 0; ; ) {
			const page = await this.letters.page(filter, afterId, lastId, PAGE);
			const fates = await Promise.all(page.map((one) => this.#publish(one)));
			const taken = page.filter((_, i) => fates[i] === null);
			if (taken.length > 0) await this.letters.mark(taken);
			redriven.push(...taken.map(({ id }) => id));
			page.forEach(({ id }, i) => {
				const why = fates[i];
				if (typeof why === "string") refused.push({ id, why });
			});
			const stop = fates.find((fate) => fate instanceof Error);
			if (stop) return { redriven, refused, stopped: stop.message };
			afterId = page.at(-1)?.id ?? afterId;
			if (page.length === 0) return { redriven, refused, stopped: null };
		}
	}

	/** Null where the stream has it, a sentence where no stream ever will, an error where it does not now. */
	async #publish(letter: KeptLetter): Promise<string | null | Error> {
		const { id, subject, payload, redrives } = letter;
		if (!STREAM_SUBJECT.test(subject))
			return `It came on the subject ${subject}, which the stream does not have.`;
		// Published, it would come back as one more letter about nothing.
		if (payload.length === 0)
			return "Nothing of it was kept that could be published: it came empty, or its reason forbids it. Whoever sent it must send it anew.";
		const messageId = `dead-letter:${id}:${redrives + 1}`;
		try {
			await this.outlet.publish(subject, payload, messageId, PUBLISH_MS);
			return null;
		} catch (error) {
			if (error instanceof MessageTooLarge) return error.message;
			return error instanceof Error ? error : new Error(String(error));
		}
	}
}
