import type { JsonObject } from "#core/experiment";
import type { Profiles } from "#usecases/deciding";
import type { ProfileMemory, ProfileStore } from "./ports.js";
import { UnitCache, type UnitCacheOptions } from "./unit-cache.js";

const NO_PROFILE: JsonObject = Object.freeze({});

/** Profiles as a decider keeps them. */
export class ProfileCache
	extends UnitCache<JsonObject>
	implements Profiles, ProfileMemory
{
	constructor(
		source: Pick<ProfileStore, "read">,
		options: UnitCacheOptions = {},
	) {
		super(source, NO_PROFILE, options);
	}
}
