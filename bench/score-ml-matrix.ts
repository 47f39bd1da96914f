import { inverse, Matrix } from "ml-matrix";
import { unpack } from "#core/linalg";
import { viewSums } from "#core/policy";
import { RIDGE, type ScoreCase } from "./score-case.js";

/** Scores with ml-matrix as its documentation does, inverses made before: the sums of means and widths. */
export function mlMatrixScorer({
	d,
	sums,
}: ScoreCase): (x: Float64Array) => readonly number[] {
	const arms = sums.map((armSums) => {
		const { A, b } = viewSums(armSums, d);
		const regularised = Matrix.add(
			new Matrix(unpack(A, d)),
			Matrix.eye(d, d).mul(RIDGE),
		);
		const cached = inverse(regularised);
		return { cached, theta: cached.mmul(Matrix.columnVector([...b])) };
	});
	return (x) => {
		const column = Matrix.columnVector(x);
		const row = Matrix.rowVector(x);
		let means = 0;
		let widths = 0;
		for (const { cached, theta } of arms) {
			means += row.mmul(theta).get(0, 0);
			widths += Math.sqrt(row.mmul(cached).mmul(column).get(0, 0));
		}
		return [means, widths];
	};
}
