import { describe, expect, test } from "vitest";
import { sampleRatioEvidence, sampleRatioP } from "#core/statistics";
import { expectClose, expectP } from "./close.js";
import { readJson } from "./read-golden.js";

interface Oracle {
	readonly sequential: readonly {
		readonly name: string;
		readonly arms_in_order: readonly number[];
		readonly planned_shares: readonly number[];
		readonly alpha0: number;
		readonly at: readonly number[];
		readonly log_bayes_factor: readonly number[];
		readonly p_value: readonly number[];
		readonly first_alarm_at_alpha_0_01: number | null;
	}[];
}

const oracle = readJson<Oracle>("srm-and-multiarm.json.gz");

describe.each(oracle.sequential)(
	"the split of “$name”, unit by unit",
	(series) => {
		test("has the evidence, the running p-value and the first alarm of the oracle", () => {
			const { planned_shares: planned, alpha0 } = series;
			const counts = planned.map(() => 0);
			let p = 1;
			let alarm: number | null = null;
			series.arms_in_order.forEach((arm, index) => {
				counts[arm] = (counts[arm] as number) + 1;
				p = sampleRatioP(p, counts, planned, alpha0);
				if (p < 0.01) alarm ??= index + 1;
				const look = series.at.indexOf(index + 1);
				if (look < 0) return;
				expectClose(
					sampleRatioEvidence(counts, planned, alpha0),
					series.log_bayes_factor[look] as number,
					`log Bayes factor at ${index + 1}`,
				);
				expectP(p, series.p_value[look] as number, `p at ${index + 1}`);
			});
			expect(alarm).toBe(series.first_alarm_at_alpha_0_01);
		});
	},
);
