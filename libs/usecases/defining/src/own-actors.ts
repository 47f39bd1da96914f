import { fail } from "#usecases/errors";

/** Who acts where Segue does it by itself; nobody else goes by these names, so that the audit can be believed. */
export const SCHEDULE = "schedule";
export const GUARDRAIL = "guardrail";

/** Throws invalid. */
export function refuseOwnName(actor: string): void {
	if (actor !== SCHEDULE && actor !== GUARDRAIL) return;
	const message = `"${actor}" is what the audit calls Segue's own acts: give the name of who does this.`;
	throw fail("invalid", message, [{ path: "actor", message }]);
}
