import type { Definition } from "#core/experiment";
import { KnownDefinitions } from "./known-definitions.js";

const NONE: readonly string[] = [];

/** Definition rows of what is booked, and what booking reads of contexts by them: segments and the covariate. */
export class BookedDefinitions {
	readonly #definitions: KnownDefinitions;
	/** By experiment. */
	readonly #names = new Map<string, readonly string[]>();

	/** @param likely what rows will be of, so that they are read once */
	constructor(
		read: (ids: readonly number[]) => Promise<readonly Definition[]>,
		likely: Iterable<Definition> = [],
	) {
		this.#definitions = new KnownDefinitions(read);
		for (const definition of likely) this.#note(definition);
	}

	get(id: number): Definition | undefined {
		return this.#definitions.get(id);
	}

	/** Reads rows, and once more where one of a definition that was not known before needs more of its context. */
	async readFor<Record extends { readonly definition_id: number }>(
		experiment: string,
		select: (names: readonly string[]) => Promise<readonly Record[]>,
	): Promise<readonly Record[]> {
		while (true) {
			const names = this.#namesOf(experiment);
			const records = await select(names);
			await this.#learn(records.map((record) => record.definition_id));
			if (this.#namesOf(experiment) === names) return records;
		}
	}

	#namesOf(experiment: string): readonly string[] {
		return this.#names.get(experiment) ?? NONE;
	}

	async #learn(ids: readonly number[]): Promise<void> {
		const fresh = [...new Set(ids)].filter((id) => !this.get(id));
		if (fresh.length === 0) return;
		await this.#definitions.learn(fresh);
		for (const id of fresh) this.#note(this.get(id));
	}

	#note(definition: Definition | undefined): void {
		if (definition === undefined) return;
		const { key, segments = [], covariate } = definition.experiment;
		const known = this.#namesOf(key);
		const needed =
			covariate === undefined ? segments : [...segments, covariate];
		const more = needed.filter((name) => !known.includes(name));
		if (more.length > 0) this.#names.set(key, [...known, ...more]);
	}
}
