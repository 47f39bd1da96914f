import { Controller, Get, Inject, Param, Query } from "@nestjs/common";
import { ApiQuery, ApiTags } from "@nestjs/swagger";
import {
	type ContextHealthView,
	MOST_HOURS,
	viewContextHealth,
	WINDOW_HOURS,
} from "#usecases/watching";
import { contextHealthSchema } from "./context-health-schema.js";
import { Documented } from "./openapi.js";
import type { ApiParts } from "./parts.js";
import { experimentKey, wholeNumber } from "./request-values.js";
import { tokens } from "./tokens.js";

/** How an experiment's context does against its launch. */
@ApiTags("experiments")
@Controller("v1/experiments/:key")
export class ContextHealthController {
	constructor(
		@Inject(tokens.readContextHealth)
		private readonly readContextHealth: ApiParts["readContextHealth"],
	) {}

	@Get("context")
	@ApiQuery({
		name: "hours",
		required: false,
		schema: {
			type: "integer",
			minimum: 1,
			maximum: MOST_HOURS,
			default: WINDOW_HOURS,
		},
	})
	@Documented({
		summary:
			"Per feature drift against launch (PSI), share missing, unseen levels, train/serve skew, alarms and a verdict",
		answers: { 200: contextHealthSchema },
		problems: [404, 422, 503],
	})
	async context(
		@Param("key") key: string,
		@Query("hours") hours?: unknown,
	): Promise<ContextHealthView> {
		const of = experimentKey(key);
		const health = await this.readContextHealth.execute(
			of,
			wholeNumber("hours", hours, [1, MOST_HOURS], WINDOW_HOURS),
		);
		return viewContextHealth(health);
	}
}
