import {
	NOTHING_STANDS,
	type WrittenConsent,
	writeConsent,
} from "#core/privacy";
import { checkUnit } from "#usecases/profiling";
import type { ConsentStore } from "./ports.js";

/** A unit's consent as the database has it now; empty where the unit was never asked. */
export class GetConsent {
	constructor(private readonly store: Pick<ConsentStore, "read">) {}

	/** Throws invalid. */
	async execute(unit: string): Promise<WrittenConsent> {
		checkUnit(unit);
		const row = (await this.store.read([unit])).get(unit);
		return writeConsent(row?.values ?? NOTHING_STANDS);
	}
}
