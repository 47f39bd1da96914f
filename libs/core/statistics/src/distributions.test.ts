import { describe, expect, it } from "vitest";
import {
	chiSquareTail,
	gammaCdf,
	normalCdf,
	normalUpperQuantile,
	riemannZeta,
	studentQuantile,
	studentTails,
} from "./distributions.js";

const expectRatio = (got: number, want: number, tolerance: number) =>
	expect(Math.abs(got / want - 1), `${got} is not ${want}`).toBeLessThan(
		tolerance,
	);

describe("distribution functions have the digits of mpmath at 30 to 40 digits", () => {
	it.each([
		[-25, 3.05669670638256e-138],
		[-7, 1.279812543885835e-12],
		[-1, 0.15865525393145705],
		[0.5, 0.6914624612740131],
	])("Φ(%d), far into the tail, and its inverse", (z, p) => {
		expectRatio(normalCdf(z), p, 1e-13);
		if (p < 0.5) expectRatio(normalUpperQuantile(p), -z, 1e-13);
	});

	it.each([
		[0, 3, 1],
		[0.1, 1, 0.7518296340458492],
		[36, 1, 1.973175290075396e-9],
		[120, 5, 3.138579772755296e-24],
		[400, 2, 1.3838965267367376e-87],
		[1300, 1000, 3.8897364994868526e-10],
	])("the tail of χ² beyond %d with %d degrees of freedom", (x, dof, p) => {
		expectRatio(chiSquareTail(x, dof), p, 1e-11);
	});

	it.each([
		[2, 1, 0.2951672353008665],
		[2.5, 3.5, 0.07569464380949008],
		[-6, 50, 2.1889394850799927e-7],
		[3, 8095.25, 0.002708014649688442],
		[5, 1e6, 5.733997870890742e-7],
	])("both tails of t = %d with %d degrees of freedom", (t, dof, p) => {
		expectRatio(studentTails(t, dof), p, 2e-9);
	});

	it.each([
		[0.05, 1.5, 6.0166631044279315],
		[0.05, 30, 2.042272456301238],
		[0.001, 73.25, 3.4283644059354006],
		[0.05, 8095.25, 1.960257072453384],
	])(
		"the quantile of t at α = %d with %d degrees of freedom",
		(alpha, dof, t) => {
			expectRatio(studentQuantile(alpha, dof), t, 1e-11);
		},
	);

	it("P(a, x), and ζ(2)", () => {
		expectRatio(gammaCdf(1.26, 1.26), 0.6180674066692102, 1e-13);
		expectRatio(gammaCdf(12.5, 40), 0.9999998858938828, 1e-13);
		expectRatio(riemannZeta(2), Math.PI ** 2 / 6, 1e-14);
	});
});

describe("where a probability is too small for a number", () => {
	it("it is 0, or its complement 1", () => {
		expect(chiSquareTail(1e5, 3)).toBe(0);
		expect(chiSquareTail(10, 1e6)).toBe(1);
		expect(gammaCdf(1e5, 10)).toBe(0);
		expect(gammaCdf(3, 1e5)).toBe(1);
		expect(gammaCdf(3, 0)).toBe(0);
		expect(studentTails(1e6, 1e5)).toBe(0);
		expect(normalCdf(-60)).toBe(0);
	});
});
