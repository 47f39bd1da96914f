import type { Definition } from "#core/experiment";

/** Definition rows never change, so each is read once. */
export class KnownDefinitions {
	readonly #known = new Map<number, Definition>();

	constructor(
		private readonly read: (
			ids: readonly number[],
		) => Promise<readonly Definition[]>,
	) {}

	get(id: number): Definition | undefined {
		return this.#known.get(id);
	}

	/** Reads those of `ids` that are not known yet; ids that name no row stay unknown. */
	async learn(ids: readonly number[]): Promise<void> {
		const unknown = [...new Set(ids)].filter((id) => !this.#known.has(id));
		if (unknown.length === 0) return;
		for (const definition of await this.read(unknown))
			this.#known.set(definition.id, definition);
	}
}
