import type { Definition } from "#core/experiment";
import { makeReport, type Report } from "#core/report";
import { fail } from "#usecases/errors";
import type { ReportReads } from "./ports.js";

/** What an experiment's current version did and was worth, from the log as it is now. */
export class MakeReport {
	constructor(
		private readonly definitions: {
			find(key: string): Promise<Definition | null>;
		},
		private readonly reads: ReportReads,
	) {}

	/** Throws unknown-experiment. */
	async execute(key: string): Promise<Report> {
		const definition = await this.definitions.find(key);
		if (definition === null)
			throw fail(
				"unknown-experiment",
				`There is no experiment "${key.slice(0, 64)}". GET /v1/experiments lists them.`,
			);
		return makeReport(
			definition,
			await this.reads.counts(key, definition.version),
		);
	}
}
