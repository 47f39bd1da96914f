import type { JsonObject } from "#core/experiment";
import { fail } from "#usecases/errors";
import type { ProfileStore } from "./ports.js";
import { checkUnit } from "./unit.js";

/** A unit's profile as the database has it now. */
export class GetProfile {
	constructor(private readonly store: Pick<ProfileStore, "read">) {}

	/** Throws invalid, unknown-profile. */
	async execute(unit: string): Promise<JsonObject> {
		checkUnit(unit);
		const profile = (await this.store.read([unit])).get(unit);
		if (profile === undefined)
			throw fail(
				"unknown-profile",
				"The unit has no profile. PUT /v1/units/UNIT/profile makes one.",
			);
		return profile.values;
	}
}
