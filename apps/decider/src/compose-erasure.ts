import type { PostgresErasure } from "#adapters/postgres";
import { unitHash } from "#core/live";
import type { SipKey } from "#core/policy";
import type { ConsentCache } from "#usecases/consenting";
import type { LiveWindowsFeed, RememberedDecisions } from "#usecases/deciding";
import { EraseUnit, FollowErasures, forgetUnit } from "#usecases/erasing";
import type { Spool } from "#usecases/ingesting";
import type { ProfileCache } from "#usecases/profiling";
import type { Pseudonyms } from "#usecases/pseudonymising";
import type { Log } from "../../boot/src/log.js";
import type { Parts } from "../../boot/src/parts.js";
import type { Shutdown } from "../../boot/src/shutdown.js";
import { MOST_STREAM_KEEP_MS } from "../../boot/src/stream-keep.js";

export interface ErasureNeeds {
	readonly erasure: PostgresErasure;
	readonly parts: Parts;
	readonly spool: Spool;
	/** What this process keeps of units. */
	readonly kept: {
		readonly live: LiveWindowsFeed;
		/** Of the hashes that live windows know units by. */
		readonly hashKey: SipKey;
		readonly profiles: ProfileCache;
		readonly consents: ConsentCache;
		readonly remembered: RememberedDecisions;
	};
	readonly pseudonyms: Pseudonyms | null;
	readonly log: Log;
	readonly shutdown: Shutdown;
}

const clock = { now: () => Date.now() };

/** Erasures asked for here, and those of others, which are followed from now on. */
export function composeErasure({
	erasure,
	parts,
	spool,
	kept: { live, hashKey, profiles, consents, remembered },
	pseudonyms,
	log,
	shutdown,
}: ErasureNeeds): EraseUnit {
	const erasures = new FollowErasures(
		erasure,
		remembered,
		clock,
		(error) => log.warn({ err: error }, "Erasures by others were not heard of"),
		(erased) => {
			live.forget(erased.units);
			return Promise.all([
				profiles.forgetErased(erased),
				consents.forgetErased(erased),
			]).then(() => {});
		},
	);
	erasures.start();
	shutdown.add("erasures", () => erasures.stop());
	return new EraseUnit(
		{
			erasure,
			stream: parts.stream,
			spool,
			memory: {
				forget: (unit, erasedAt) => {
					live.forget([{ ...unitHash(hashKey, unit), erasedAt }]);
					profiles.forget(unit);
					consents.forget(unit);
					return forgetUnit(remembered, unit, erasedAt);
				},
			},
			clock,
		},
		(what, error) => log.warn({ err: error }, what),
		MOST_STREAM_KEEP_MS,
		pseudonyms === null ? undefined : (unit) => pseudonyms.all(unit),
	);
}
