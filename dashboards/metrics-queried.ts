/**
 * The metric names (as in `/metrics`, so with `_bucket`, `_sum`, `_count`) that a Grafana dashboard queries: in its panels,
 * rows, annotations and variables. Throws a sentence where a query reads none of Segue's metrics.
 */
export function metricsQueried(dashboard: unknown): string[] {
	const names = new Set<string>();
	for (const query of queriesIn(dashboard)) {
		const found = query.match(/\bsegue_[a-z0-9_]+/g);
		if (found === null)
			throw new Error(`The query "${query}" reads no metric of Segue.`);
		for (const name of found) names.add(name);
	}
	return [...names].sort();
}

/** Every `expr` of a target, and every query text of a variable, wherever they are nested. */
function queriesIn(node: unknown): string[] {
	if (Array.isArray(node)) return node.flatMap(queriesIn);
	if (typeof node !== "object" || node === null) return [];
	const { type, query, expr } = node as {
		type?: unknown;
		query?: unknown;
		expr?: unknown;
	};
	const own = [expr, type === "query" ? query : undefined].filter(
		(text) => typeof text === "string",
	);
	return [...own, ...Object.values(node).flatMap(queriesIn)];
}
