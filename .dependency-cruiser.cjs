/** The floors: apps → api → usecases → core and apps → adapters → usecases → core. test/house proves that each rule bites. */

/** Tests may reach for what they need; what they import is not shipped. */
const tests = [
	"\\.(test|suite)\\.ts$",
	"^(libs|apps)/[^/]+/test/",
	"^(libs|apps)/[^/]+/[^/]+/test/",
	"^test/",
];
const anyLib = "^libs/(?:(?:core|usecases|adapters)/[^/]+|api|client)/";

module.exports = {
	forbidden: [
		{
			name: "no-cycles",
			comment:
				"Two files that need each other are one file, or share a third, purer one. Types alone may point at each other.",
			severity: "error",
			from: { pathNot: tests },
			to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
		},
		{
			name: "found",
			comment: "The import leads nowhere.",
			severity: "error",
			from: {},
			to: { couldNotResolve: true },
		},
		{
			name: "core-is-pure",
			comment:
				"core imports core and an allow-list of pure packages. Hand I/O, clock and randomness in as arguments.",
			severity: "error",
			from: { path: "^libs/core/", pathNot: tests },
			to: {
				pathNot: [
					"^libs/core/",
					"node_modules/(cephes|ml-matrix|@marcbachmann/cel-js|zod|@noble/hashes|fastest-levenshtein|yaml)/",
				],
			},
		},
		{
			name: "usecases-know-only-core",
			comment:
				"A use case reaches I/O through a port in its own ports.ts, not through an adapter.",
			severity: "error",
			from: { path: "^libs/usecases/", pathNot: tests },
			to: {
				path: [
					"^(apps|bench|test)/",
					"^libs/(api|adapters|client)/",
					"node_modules/(@nestjs|pg|@nats-io|fastify|prom-client|pino)/",
				],
			},
		},
		{
			name: "adapters-never-meet",
			comment: "An adapter gets another's abilities handed in by the app.",
			severity: "error",
			from: { path: "^libs/adapters/([^/]+)/", pathNot: tests },
			to: {
				path: [
					"^(apps|bench|test)/",
					"^libs/(api|client|adapters)/",
					"node_modules/@nestjs/",
				],
				pathNot: "^libs/adapters/$1/",
			},
		},
		{
			name: "api-parses-calls-answers",
			comment: "The api calls use cases; the app wires adapters behind them.",
			severity: "error",
			from: { path: "^libs/api/", pathNot: tests },
			to: {
				path: [
					"^(apps|bench|test)/",
					"^libs/(adapters|client)/",
					"node_modules/(pg|@nats-io)/",
				],
			},
		},
		{
			name: "client-stands-alone",
			comment: "The typed client has no dependencies.",
			severity: "error",
			from: { path: "^libs/client/", pathNot: tests },
			to: { pathNot: "^libs/client/" },
		},
		{
			name: "one-door-from-outside",
			comment: "Import a lib by its #name: src/index.ts is its only door.",
			severity: "error",
			from: { path: "^(apps|bench)/" },
			to: { path: anyLib, pathNot: `${anyLib}src/index\\.ts$` },
		},
		{
			name: "one-door-between-libs",
			comment: "Import a lib by its #name: src/index.ts is its only door.",
			severity: "error",
			from: {
				path: "^(libs/(?:(?:core|usecases|adapters)/[^/]+|api|client))/",
			},
			to: {
				path: anyLib,
				pathNot: ["^$1/", `${anyLib}src/index\\.ts$`, ...tests],
			},
		},
		{
			name: "tests-are-not-shipped",
			comment: "What is built must not need a test's file.",
			severity: "error",
			from: { path: "^(apps|libs)/", pathNot: tests },
			to: { path: tests, pathNot: "node_modules/" },
		},
		{
			name: "nothing-above-apps",
			severity: "error",
			from: { path: "^libs/", pathNot: tests },
			to: { path: "^(apps|test|bench)/" },
		},
	],
	options: {
		doNotFollow: { path: "node_modules" },
		exclude: { path: "^(dist|node_modules/\\.cache)/" },
		tsConfig: { fileName: "tsconfig.json" },
		tsPreCompilationDeps: true,
		enhancedResolveOptions: {
			conditionNames: ["segue-source", "import", "node", "default", "types"],
			exportsFields: ["exports"],
			extensions: [".ts", ".js", ".json"],
		},
	},
};
