import type { Config } from "#adapters/config";
import { Pseudonyms } from "#usecases/pseudonymising";

/** Null where units go by the names that clients give them. */
export function pseudonymsOf({
	unitKeys,
}: Pick<Config, "unitKeys">): Pseudonyms | null {
	return unitKeys.length === 0 ? null : new Pseudonyms(unitKeys);
}
