import { Body, Controller, Get, Inject, Param, Put } from "@nestjs/common";
import { ApiParam, ApiTags } from "@nestjs/swagger";
import type { WrittenConsent } from "#core/privacy";
import { consentSchema } from "./consent-schema.js";
import { Documented } from "./openapi.js";
import type { ApiParts } from "./parts.js";
import { required } from "./request-values.js";
import { tokens } from "./tokens.js";

const unitInPath = { name: "unit", description: "Percent-encoded." };

/** What a unit allows. */
@ApiTags("units")
@Controller("v1/units/:unit/consent")
export class ConsentsController {
	constructor(
		@Inject(tokens.putConsent)
		private readonly putConsent: ApiParts["putConsent"],
		@Inject(tokens.getConsent)
		private readonly getConsent: ApiParts["getConsent"],
	) {}

	@Put()
	@ApiParam(unitInPath)
	@Documented({
		summary: "Replace all that is known of a unit's consent",
		description:
			"Answers with what is kept, after the commit. This decider obeys it at once, all others within 2 s. A purpose that is left out is not answered: to withdraw, send false. Values of the profile that the unit allows no longer are deleted.",
		body: consentSchema,
		answers: { 200: consentSchema },
		problems: [400, 413, 415, 422, 503],
	})
	async put(
		@Param("unit") unit: string,
		@Body() body: unknown,
	): Promise<WrittenConsent> {
		return this.putConsent.execute(unit, required(body));
	}

	@Get()
	@ApiParam(unitInPath)
	@Documented({
		summary:
			"What a unit allows, as it was last put; empty where it was never asked",
		answers: { 200: consentSchema },
		problems: [422, 503],
	})
	async get(@Param("unit") unit: string): Promise<WrittenConsent> {
		return this.getConsent.execute(unit);
	}
}
