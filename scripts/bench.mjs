// npm run bench:…: builds where needed, then runs the benchmark in this very process.
import { fileURLToPath } from "node:url";
import { buildIfStale } from "./build.mjs";

const BENCHMARKS = [
	"score",
	"decide",
	"learn",
	"thompson",
	"refresh",
	"memory",
	"erase",
	"context",
	"validity",
	"report",
];
const [, , name, ...args] = process.argv;

if (!BENCHMARKS.includes(name)) {
	console.error(
		`"${name ?? ""}" is not a benchmark: node scripts/bench.mjs ${BENCHMARKS.join("|")} [arguments]`,
	);
	process.exitCode = 2;
} else if (await buildIfStale()) {
	const main = new URL(`../dist/bench/${name}.js`, import.meta.url);
	process.argv = [process.argv[0], fileURLToPath(main), ...args];
	await import(main.href);
} else {
	process.exitCode = 1;
}
