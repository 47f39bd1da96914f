import { defineConfig } from "vitest/config";
import { WholeFirst } from "./test/support/whole-first.js";

// vitest hands these on to Node for require() as well, so "import" must not be among them.
const conditions = ["segue-source", "node"];
/** Tests that start the built apps. */
const builtApps = ["test/e2e/**/*.test.ts", "test/faults/**/*.test.ts"];

export default defineConfig({
	resolve: { conditions },
	ssr: { resolve: { conditions } },
	// Where vitest evaluates globalSetup files.
	environments: { __vitest__: { resolve: { conditions } } },
	test: {
		globalSetup: ["test/support/global-setup.ts"],
		// Half of the time is waiting for real servers, so three files run at once even on two cores.
		maxWorkers: 3,
		sequence: { sequencer: WholeFirst },
		reporters: ["default", "./test/support/plain-summary-reporter.ts"],
		coverage: {
			provider: "v8",
			include: ["libs/**/*.ts"],
			exclude: ["libs/core/linalg/assembly/**"],
		},
		projects: [
			{
				extends: true,
				test: {
					name: "source",
					include: [
						"libs/**/*.test.ts",
						"apps/**/*.test.ts",
						"test/**/*.test.ts",
					],
					exclude: ["**/node_modules/**", "**/dist/**", ...builtApps],
					// Modules are loaded once a worker instead of once a file: a third of the time. No module keeps what a test could meet.
					isolate: false,
					testTimeout: 30_000,
					hookTimeout: 60_000,
				},
			},
			{
				extends: true,
				test: {
					name: "built apps",
					include: builtApps,
					globalSetup: ["test/support/build.ts"],
					isolate: false,
					// The long forms of the fault suite set their own.
					testTimeout: 180_000,
					hookTimeout: 120_000,
				},
			},
		],
	},
});
