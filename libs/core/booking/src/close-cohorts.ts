import type { Metric } from "#core/metrics";
import type { StoredUnit, UnitKey } from "./changes.js";
import type { Closings } from "./closings.js";
import { cohortsOf } from "./held-units.js";
import { epochOf } from "./keys.js";
import { type SumsChange, UnitSums } from "./unit-sums.js";

/** What closing cohorts further changes of the sums: of units of which one is closed by it. */
export function closeCohorts(
	units: readonly StoredUnit[],
	metricsOf: (key: UnitKey) => readonly Metric[],
	from: Closings,
	to: Closings,
): readonly (UnitKey & SumsChange)[] {
	const epochs = new Map<string, { key: UnitKey; sums: UnitSums }>();
	for (const unit of units) {
		const name = epochOf(unit);
		let epoch = epochs.get(name);
		if (epoch === undefined) {
			epoch = { key: unit, sums: new UnitSums(metricsOf(unit)) };
			epochs.set(name, epoch);
		}
		const { entry } = unit;
		epoch.sums.move(entry, entry, cohortsOf(unit, from), cohortsOf(unit, to));
	}
	return [...epochs.values()].flatMap(({ key, sums }) =>
		sums.changes().map((change) => ({ ...key, ...change })),
	);
}
