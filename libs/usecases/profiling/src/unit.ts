import { PRINTABLE } from "#core/experiment";
import { fail } from "#usecases/errors";

/** Throws invalid. */
export function checkUnit(unit: string): void {
	if (PRINTABLE.test(unit)) return;
	const message = "Must be 1 to 256 printable characters.";
	throw fail("invalid", `The unit cannot be read: ${message}`, [
		{ path: "unit", message },
	]);
}
