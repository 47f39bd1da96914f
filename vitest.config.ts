import { defineConfig } from "vitest/config";

const conditions = ["segue-source", "node", "import", "default"];

export default defineConfig({
	resolve: { conditions },
	ssr: { resolve: { conditions } },
	// Where vitest evaluates globalSetup files.
	environments: { __vitest__: { resolve: { conditions } } },
	test: {
		include: ["libs/**/*.test.ts", "apps/**/*.test.ts", "test/**/*.test.ts"],
		globalSetup: ["test/support/global-setup.ts"],
		reporters: ["default", "./test/support/plain-summary-reporter.ts"],
		testTimeout: 30_000,
		hookTimeout: 60_000,
		coverage: { provider: "v8", include: ["libs/**/*.ts"] },
	},
});
