import {
	type GuardrailLook,
	lookAtGuardrail,
	ratioOfSums,
} from "#core/statistics";
import { listenerOf } from "./listeners.js";
import { randomStream } from "./random.js";
import { UnitSums } from "./unit-sums.js";
import { GUARDRAIL } from "./watch-guardrail.js";
import { SKIP_LIMIT } from "./world.js";

export interface Breach {
	/** How far the true rate lies above the limit. */
	readonly excess: number;
	readonly units: number;
	/** The run is given up after so many matured decisions. */
	readonly decisions: number;
}

const EVERY = 10;

/** Matured decisions until the guardrail is breached, looked at after every tenth; Infinity where it is not within the run. Listeners are all alike. */
export function delayOf(
	{ excess, units, decisions }: Breach,
	seed: number,
): number {
	const random = randomStream(seed, 2);
	const next = listenerOf("iid", units, decisions, random);
	const sums = new UnitSums(units);
	const rule = { kind: "max", limit: SKIP_LIMIT } as const;
	for (let t = 0; t < decisions; t++) {
		sums.add(next(t), random() < SKIP_LIMIT + excess ? 1 : 0);
		if ((t + 1) % EVERY > 0) continue;
		const look: GuardrailLook = lookAtGuardrail(
			rule,
			ratioOfSums(sums.moments),
			null,
			GUARDRAIL,
		);
		if (look.kind === "breached") return t + 1;
	}
	return Number.POSITIVE_INFINITY;
}
