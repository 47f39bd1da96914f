import fc from "fast-check";
import { inverse, Matrix } from "ml-matrix";
import { expect, test } from "vitest";
import { toGrid, unpack } from "#core/linalg";
import {
	addObservation,
	emptySums,
	prepareArm,
	scoreArm,
	viewSums,
} from "#core/policy";

const value = fc.double({ min: -8, max: 8, noNaN: true }).map(toGrid);

test("θ and the width of an arm are those of an independent implementation of linear algebra", () => {
	fc.assert(
		fc.property(
			fc.integer({ min: 1, max: 10 }).chain((d) =>
				fc.record({
					d: fc.constant(d),
					rows: fc.array(
						fc.record({
							x: fc.array(value, { minLength: d, maxLength: d }),
							reward: value,
						}),
						{ maxLength: 30 },
					),
					ridge: fc.constantFrom(0.5, 1, 4),
				}),
			),
			({ d, rows, ridge }) => {
				const sums = emptySums(d);
				for (const { x, reward } of rows)
					addObservation(sums, d, Float64Array.from(x), 1, reward);
				const { A, b } = viewSums(sums, d);
				const model = prepareArm(sums, d, ridge);
				const independent = inverse(
					Matrix.add(new Matrix(unpack(A, d)), Matrix.eye(d, d).mul(ridge)),
				);
				const theta = independent.mmul(Matrix.columnVector([...b])).to1DArray();
				for (let i = 0; i < d; i++)
					expect(model.theta[i]).toBeCloseTo(theta[i] as number, 7);
				for (const { x: values } of [...rows, { x: Array(d).fill(1) }]) {
					const x = Matrix.columnVector(values);
					const { mean, width } = scoreArm(model, Float64Array.from(values), 1);
					expect(mean).toBeCloseTo(x.dot(Matrix.columnVector(theta)), 6);
					expect(width ** 2).toBeCloseTo(x.dot(independent.mmul(x)), 6);
				}
			},
		),
	);
});
