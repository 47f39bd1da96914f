import { bytesArray } from "./binary-array.js";
import type { Database } from "./database.js";

/** Fingerprints by the id of their key. */
export type Fingerprints = ReadonlyMap<string, Uint8Array>;

/** Keeps those of keys that none is kept of; what is kept stays. Of two that come at once one is first. */
export async function keepUnitKeys(
	database: Database,
	fingerprints: Fingerprints,
): Promise<void> {
	await database.query(
		`insert into unit_keys (id, fingerprint)
		select k.id, k.fingerprint from unnest($1::text[], $2::bytea[]) as k (id, fingerprint)
		on conflict (id) do nothing`,
		[[...fingerprints.keys()], bytesArray([...fingerprints.values()])],
	);
}

export async function keptUnitKeys(database: Database): Promise<Fingerprints> {
	const rows = await database.query<{ id: string; fingerprint: Buffer }>(
		"select k.id, k.fingerprint from unit_keys k",
	);
	return new Map(rows.map(({ id, fingerprint }) => [id, fingerprint]));
}
