import {
	DEFAULT_FIRST_LOOK,
	type GuardrailLevel,
	lookAtGuardrail,
	mixtureScale,
	rateSpread,
	ratioOfSums,
} from "#core/statistics";
import { UnitSums } from "./unit-sums.js";
import { ALPHA } from "./watch-lift.js";
import { type Decision, SKIP_LIMIT } from "./world.js";

/** Decisions at which a breach is to be found. */
const BREACH_SIZE = 1_000;

export const GUARDRAIL: GuardrailLevel = {
	alpha: ALPHA,
	tau: mixtureScale(rateSpread(SKIP_LIMIT) / Math.sqrt(BREACH_SIZE)),
	range: [0, 1],
	rest: 0,
	isRate: true,
	firstLook: DEFAULT_FIRST_LOOK,
};

/** The policy's skips against the limit at which they are exactly. */
export class GuardrailWatch {
	isPaused = false;
	readonly #policy: UnitSums;

	constructor(units: number) {
		this.#policy = new UnitSums(units);
	}

	add({
		isControl,
		unit,
		skip,
	}: Pick<Decision, "isControl" | "unit" | "skip">): void {
		if (!isControl) this.#policy.add(unit, skip);
	}

	look(): void {
		if (this.isPaused) return;
		const rule = { kind: "max", limit: SKIP_LIMIT } as const;
		const look = lookAtGuardrail(
			rule,
			ratioOfSums(this.#policy.moments),
			null,
			GUARDRAIL,
		);
		this.isPaused = look.kind === "breached";
	}

	get decisions(): number {
		return this.#policy.moments.n;
	}
}
