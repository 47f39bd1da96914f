import { expect, test } from "vitest";
import { NODES, WEIGHTS } from "./thompson-rule.js";

test("the 16-point rule integrates every power up to 31 exactly, and not the 32nd", () => {
	const integral = (power: number) =>
		NODES.reduce((sum, x, k) => sum + (WEIGHTS[k] as number) * x ** power, 0);
	for (let power = 0; power <= 31; power++)
		expect(
			Math.abs(integral(power) - (power % 2 === 0 ? 2 / (power + 1) : 0)),
			`x^${power}`,
		).toBeLessThan(1e-15);
	expect(Math.abs(integral(32) - 2 / 33)).toBeGreaterThan(1e-10);
});
