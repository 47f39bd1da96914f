import { definitionOf, unitsOf } from "./builders.js";

/** A document with a plan, half of the listeners in control. */
export const PLANNED = {
	metrics: {
		primary: {
			metric: "reward",
			smallestEffect: 0.1,
			plannedUnits: 4000,
			expected: 0.5,
		},
		secondary: ["click_rate"],
	},
	traffic: { share: 1, control: 0.5, baseline: "uniform" },
};
export const planned = definitionOf(PLANNED);

/** So many units in each group, of whom so many earn 1. */
export const groups = (units: number, policy: number, control: number) => [
	...unitsOf("policy", units, policy),
	...unitsOf("control", units, control),
];
