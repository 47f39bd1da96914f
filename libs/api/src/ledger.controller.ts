import { Controller, Get, Inject, Param } from "@nestjs/common";
import { ApiTags } from "@nestjs/swagger";
import { type Ledger, NO_EXPERIMENT } from "#usecases/learning";
import { Documented } from "./openapi.js";
import type { ApiParts } from "./parts.js";
import { experimentKey } from "./request-values.js";
import { openObject } from "./schemas.js";
import { tokens } from "./tokens.js";

/** What became of everything that was delivered. */
@ApiTags("experiments")
@Controller("v1/experiments/:key")
export class LedgerController {
	constructor(
		@Inject(tokens.readLedger)
		private readonly readLedger: ApiParts["readLedger"],
		@Inject(tokens.getExperiment)
		private readonly getExperiment: ApiParts["getExperiment"],
	) {}

	@Get("ledger")
	@Documented({
		summary: "How many decisions and events have which verdict now",
		description:
			"Every delivery that a learner took has one verdict; a redelivery is a duplicate. `-` as key: what names no experiment, waits for its decision, or could not be understood. Over all keys the counts add up to what was delivered.",
		answers: { 200: openObject },
		problems: [404, 422, 503],
	})
	async ledger(@Param("key") key: string): Promise<Ledger> {
		if (key !== NO_EXPERIMENT)
			await this.getExperiment.execute(experimentKey(key));
		return this.readLedger.execute(key);
	}
}
