import type { Database } from "#adapters/postgres";
import type { Health } from "#api";
import type { LiveWindowsFeed } from "#usecases/deciding";
import type { Spool } from "#usecases/ingesting";
import type { PrivacyParts } from "../../boot/src/open-privacy.js";
import type { Parts } from "../../boot/src/parts.js";

/** Ready while decisions can be answered and kept: the stream or room in the spool. What is missing is named. */
export async function health(
	database: Database,
	parts: Parts,
	{ policy }: PrivacyParts,
	live: LiveWindowsFeed,
	spool: Spool,
): Promise<Health> {
	const reached = await database.answers();
	return {
		ready: parts.stream.connected || !spool.full,
		parts: {
			database: { ok: reached, detail: parts.database },
			stream: { ok: parts.stream.connected, detail: parts.stream.description },
			liveWindows: { ok: live.ready },
			privacy: { ok: true, detail: `version ${policy.version}` },
			spool: { ok: !spool.full, detail: `${spool.size} bytes wait` },
		},
	};
}
