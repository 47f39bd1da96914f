import type { Reporter, TestModule } from "vitest/node";

/** Prints the counts of the run alone on a last line, for machines and for eyes. */
export default class PlainSummaryReporter implements Reporter {
	onTestRunEnd(
		modules: readonly TestModule[],
		unhandledErrors: readonly unknown[],
	): void {
		const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
		let failedModules = 0;
		for (const module of modules) {
			let failures = 0;
			for (const test of module.children.allTests()) {
				const { state } = test.result();
				counts[state]++;
				if (state === "failed") failures++;
			}
			// A file that does not load, or whose hooks fail, is a failure even where no test of it is.
			if (module.state() === "failed" && failures === 0) failedModules++;
		}
		const failed =
			counts.failed + counts.pending + failedModules + unhandledErrors.length;
		const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
		console.log(`Tests: ${counts.passed} passed, ${failed} failed${skipped}`);
	}
}
