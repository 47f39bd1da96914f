import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What is tested as a whole, or as a process. */
const WHOLE = /^(?:test|apps)\//;

/** That goes first: small files, as most of these are, would come last, and then there is nothing left to run beside them. */
export class WholeFirst extends BaseSequencer {
	override async sort(
		files: TestSpecification[],
	): Promise<TestSpecification[]> {
		const sorted = await super.sort(files);
		const { root } = this.ctx.config;
		const isWhole = ({ moduleId }: TestSpecification) =>
			WHOLE.test(relative(root, moduleId));
		return [
			...sorted.filter(isWhole),
			...sorted.filter((file) => !isWhole(file)),
		];
	}
}
