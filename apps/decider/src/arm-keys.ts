import type { PostgresDefinitionStore } from "#adapters/postgres";
import type { ApiParts } from "#api";
import type { DefinitionCache } from "#usecases/deciding";

/** Definition rows never change, so what was read once is kept. A database that does not answer leaves the keys unsaid. */
export function armKeys(
	store: PostgresDefinitionStore,
	definitions: DefinitionCache,
): ApiParts["armKeysOf"] {
	const known = new Map<number, readonly string[]>();
	return async (id) => {
		const kept = known.get(id);
		if (kept) return kept;
		const row =
			definitions.all().find((definition) => definition.id === id) ??
			(await readDefinition(store, id));
		if (!row) return null;
		const keys = row.experiment.arms.map((arm) => arm.key);
		if (known.size >= 1_000) known.clear();
		known.set(id, keys);
		return keys;
	};
}

async function readDefinition(store: PostgresDefinitionStore, id: number) {
	let timer: NodeJS.Timeout | undefined;
	const silent = new Promise<[]>((resolve) => {
		timer = setTimeout(() => resolve([]), 300);
	});
	const reading = store.byIds([id]).catch(() => []);
	const [row] = await Promise.race([reading, silent]);
	clearTimeout(timer);
	return row;
}
