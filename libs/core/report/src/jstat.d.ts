/** The part of jstat that the report uses; the package ships no types. */
declare module "jstat" {
	const jStat: {
		/** Student's t distribution. */
		readonly studentt: {
			/** Quantile of probability `p` with `dof` degrees of freedom. */
			inv(p: number, dof: number): number;
		};
		readonly normal: {
			inv(p: number, mean: number, deviation: number): number;
		};
	};
	export = jStat;
}
