import type {
	DefinitionAudit,
	DefinitionChange,
	DefinitionStore,
	StoredDefinition,
} from "../src/ports.js";

/** Memory twin of the definition store: every row kept, one change of an experiment at a time. */
export class MemoryDefinitionStore implements DefinitionStore, DefinitionAudit {
	readonly rows: StoredDefinition[] = [];

	constructor(private readonly now: () => number = () => 1_750_000_000_000) {}

	async all(): Promise<readonly StoredDefinition[]> {
		const newest = new Map(this.rows.map((row) => [row.experiment.key, row]));
		return [...newest.values()].sort((a, b) =>
			a.experiment.key < b.experiment.key ? -1 : 1,
		);
	}

	async find(key: string): Promise<StoredDefinition | null> {
		return (
			this.rows.findLast(({ experiment }) => experiment.key === key) ?? null
		);
	}

	async byIds(ids: readonly number[]): Promise<readonly StoredDefinition[]> {
		return this.rows.filter(({ id }) => ids.includes(id));
	}

	async ofVersion(
		key: string,
		version: number,
	): Promise<StoredDefinition | null> {
		return this.#of(key).findLast((row) => row.version === version) ?? null;
	}

	async page(
		key: string,
		below: number | null,
		most: number,
	): Promise<readonly StoredDefinition[]> {
		return this.#of(key)
			.filter(({ id }) => below === null || id < below)
			.reverse()
			.slice(0, most);
	}

	async change(
		key: string,
		decide: (
			current: StoredDefinition | null,
			newestVersion: number,
		) => DefinitionChange | null,
	): Promise<StoredDefinition | null> {
		const current = this.#of(key).at(-1) ?? null;
		const versions = this.#of(key).map(({ version }) => version);
		const change = decide(current, Math.max(0, ...versions));
		if (change === null) return current;
		const row = {
			...change,
			id: this.rows.length + 1,
			salt: current?.salt ?? "5a".repeat(32),
			createdAt: this.now(),
		};
		this.rows.push(row);
		return row;
	}

	#of(key: string): StoredDefinition[] {
		return this.rows.filter(({ experiment }) => experiment.key === key);
	}
}
