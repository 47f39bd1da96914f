import { Body, Controller, Get, Inject, Param, Put } from "@nestjs/common";
import { ApiParam, ApiTags } from "@nestjs/swagger";
import type { JsonObject } from "#core/experiment";
import { Documented } from "./openapi.js";
import type { ApiParts } from "./parts.js";
import { profileSchema } from "./profile-schema.js";
import { required } from "./request-values.js";
import { tokens } from "./tokens.js";

const unitInPath = { name: "unit", description: "Percent-encoded." };

/** What is known of a unit for long. */
@ApiTags("units")
@Controller("v1/units/:unit/profile")
export class ProfilesController {
	constructor(
		@Inject(tokens.putProfile)
		private readonly putProfile: ApiParts["putProfile"],
		@Inject(tokens.getProfile)
		private readonly getProfile: ApiParts["getProfile"],
	) {}

	@Put()
	@ApiParam(unitInPath)
	@Documented({
		summary: "Replace the profile features of a unit",
		description:
			"Answers with what is kept, after the commit. This decider decides with it at once, all others within 2 s. Features whose consent the unit has not given are not kept. At most 64 KiB.",
		body: profileSchema,
		answers: { 200: profileSchema },
		problems: [400, 413, 415, 422, 503],
	})
	async put(
		@Param("unit") unit: string,
		@Body() body: unknown,
	): Promise<JsonObject> {
		return this.putProfile.execute(unit, required(body));
	}

	@Get()
	@ApiParam(unitInPath)
	@Documented({
		summary: "The profile features of a unit, as they were last put",
		answers: { 200: profileSchema },
		problems: [404, 422, 503],
	})
	async get(@Param("unit") unit: string): Promise<JsonObject> {
		return this.getProfile.execute(unit);
	}
}
