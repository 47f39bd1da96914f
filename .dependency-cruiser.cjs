/** The floors: apps → api → usecases → core and apps → adapters → usecases → core. */
const src = "^libs/";
module.exports = {
	forbidden: [
		{
			name: "no-cycles",
			comment: "Two files that need each other are one file, or share a third, purer one.",
			severity: "error",
			from: {},
			to: { circular: true },
		},
		{
			name: "core-is-pure",
			comment:
				"core imports core and an allow-list of pure packages. Hand I/O, clock and randomness in as arguments.",
			severity: "error",
			from: { path: `${src}core/`, pathNot: "\\.test\\.ts$" },
			to: {
				pathNot: [
					`${src}core/`,
					"node_modules/(ml-matrix|@marcbachmann/cel-js|zod|@noble/hashes|fastest-levenshtein|jstat|yaml)/",
				],
			},
		},
		{
			name: "usecases-know-only-core",
			comment: "A use case reaches I/O through a port in its own ports.ts, not through an adapter.",
			severity: "error",
			from: { path: `${src}usecases/`, pathNot: "\\.test\\.ts$" },
			to: { path: ["^apps/", `${src}(api|adapters|client)/`, "node_modules/(@nestjs|pg|@nats-io|fastify)/"] },
		},
		{
			name: "adapters-never-meet",
			comment: "An adapter gets another's abilities handed in by the app.",
			severity: "error",
			from: { path: `${src}adapters/([^/]+)/`, pathNot: "\\.test\\.ts$" },
			to: { path: ["^apps/", `${src}(api|client)/`, `${src}adapters/`, "node_modules/@nestjs/"], pathNot: `${src}adapters/$1/` },
		},
		{
			name: "api-parses-calls-answers",
			comment: "The api calls use cases; the app wires adapters behind them.",
			severity: "error",
			from: { path: `${src}api/`, pathNot: "\\.test\\.ts$" },
			to: { path: ["^apps/", `${src}(adapters|client)/`, "node_modules/(pg|@nats-io)/"] },
		},
		{
			name: "client-stands-alone",
			comment: "The typed client has no dependencies.",
			severity: "error",
			from: { path: `${src}client/`, pathNot: "\\.test\\.ts$" },
			to: { pathNot: `${src}client/` },
		},
		{
			name: "one-door",
			comment: "Import a lib by its #name: src/index.ts is its only door.",
			severity: "error",
			from: { path: "^(apps|bench)/|^libs/([^/]+/[^/]+|api|client)/" },
			to: { path: "^libs/(core|usecases|adapters)/([^/]+)/src/(?!index\\.ts$)", pathNot: "^libs/$2/" },
		},
		{
			name: "nothing-above-apps",
			severity: "error",
			from: { path: "^libs/" },
			to: { path: "^(apps|test|bench)/" , pathNot: "^test/support/"},
		},
	],
	options: {
		doNotFollow: { path: "node_modules" },
		exclude: { path: "^(dist|node_modules)/" },
		tsConfig: { fileName: "tsconfig.json" },
		tsPreCompilationDeps: true,
		enhancedResolveOptions: {
			conditionNames: ["segue-source", "import", "node", "default", "types"],
			exportsFields: ["exports"],
			extensions: [".ts", ".js", ".json"],
		},
	},
};
