import { uniformFrom } from "#core/policy";
import type { ExperimentState, Group, Traffic } from "./experiment.js";

/**
 * The group of a unit: inside if h₁ < share, and among those inside control if h₂ < control. h₁ and h₂ are independent keyed
 * hashes of the unit, so a change of share never moves a unit between policy and control.
 */
export function assign(
	traffic: Traffic,
	saltHex: string,
	unit: string,
	state: ExperimentState,
): Group {
	if (state !== "running") return "outside";
	// Where all are inside, the hash need not be known.
	const isInside =
		traffic.share >= 1 || uniformFrom(saltHex, "share", unit) < traffic.share;
	if (!isInside) return "outside";
	return uniformFrom(saltHex, "control", unit) < traffic.control
		? "control"
		: "policy";
}
