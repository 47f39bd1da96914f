import { Controller, Get, Inject, Res } from "@nestjs/common";
import { ApiTags } from "@nestjs/swagger";
import type { FastifyReply } from "fastify";
import { Documented } from "./openapi.js";
import type { Health, OperationsParts } from "./parts.js";
import { healthSchema } from "./schemas.js";
import { tokens } from "./tokens.js";

@ApiTags("operations")
@Controller()
export class OperationsController {
	constructor(
		@Inject(tokens.health) private readonly health: OperationsParts["health"],
		@Inject(tokens.metricsText)
		private readonly metricsText: OperationsParts["metricsText"],
	) {}

	@Get("health/live")
	@Documented({
		summary: "200 while the process runs",
		answers: { 200: "It runs." },
	})
	live(): { live: true } {
		return { live: true };
	}

	@Get("health/ready")
	@Documented({
		summary: "Whether requests should be sent here, and how every part is",
		answers: { 200: healthSchema, 503: healthSchema },
	})
	async ready(
		@Res({ passthrough: true }) reply: FastifyReply,
	): Promise<Health> {
		const health = await this.health();
		reply.code(health.ready ? 200 : 503);
		return health;
	}

	@Get("metrics")
	@Documented({
		summary: "Metrics in the Prometheus text format",
		answers: { 200: "Prometheus text, version 0.0.4." },
	})
	async metrics(
		@Res({ passthrough: true }) reply: FastifyReply,
	): Promise<string> {
		reply.header("content-type", "text/plain; version=0.0.4; charset=utf-8");
		return this.metricsText();
	}
}
