import { type PrivacyPolicy, shortestKept } from "#core/privacy";
import type { Shutdown } from "../../boot/src/shutdown.js";

const EVERY_MS = 10 * 60_000;

interface KeptInMemory {
	forgetPutBefore(instant: number): void;
}

/** Reads again what is so old that retention may have deleted it, so that a decider keeps nothing for longer than the database does. */
export function expireKept(
	policy: PrivacyPolicy,
	kept: { readonly profile: KeptInMemory; readonly consent: KeptInMemory },
	shutdown: Shutdown,
): void {
	const timer = setInterval(() => {
		for (const kind of ["profile", "consent"] as const) {
			const { ms } = shortestKept(policy, kind);
			if (ms !== null) kept[kind].forgetPutBefore(Date.now() - ms);
		}
	}, EVERY_MS);
	shutdown.add("expiry of what is kept", async () => clearInterval(timer));
}
