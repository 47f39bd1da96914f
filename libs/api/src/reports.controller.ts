import { Controller, Get, Inject, Param, Query, Res } from "@nestjs/common";
import { ApiQuery, ApiTags } from "@nestjs/swagger";
import type { FastifyReply } from "fastify";
import { reportCsv } from "#core/report";
import type { ShownPosterior } from "#usecases/deciding";
import { type ReportView, viewReport } from "#usecases/reporting";
import { Documented } from "./openapi.js";
import type { ApiParts } from "./parts.js";
import { experimentKey, once, oneOf } from "./request-values.js";
import { openObject, posteriorSchema } from "./schemas.js";
import { tokens } from "./tokens.js";

const FORMATS = ["json", "csv", "html"] as const;

/** What an experiment has learned, and what that was worth. */
@ApiTags("experiments")
@Controller("v1/experiments/:key")
export class ReportsController {
	constructor(
		@Inject(tokens.readPosterior)
		private readonly readPosterior: ApiParts["readPosterior"],
		@Inject(tokens.makeReport)
		private readonly makeReport: ApiParts["makeReport"],
		@Inject(tokens.reportPage)
		private readonly reportPage: ApiParts["reportPage"],
	) {}

	@Get("posterior")
	@ApiQuery({ name: "arm", required: false })
	@Documented({
		summary: "What this decider decides with now",
		answers: { 200: posteriorSchema },
		problems: [404, 422],
	})
	async posterior(
		@Param("key") key: string,
		@Query("arm") arm?: unknown,
	): Promise<ShownPosterior> {
		return this.readPosterior.execute(experimentKey(key), once("arm", arm));
	}

	@Get("report")
	@ApiQuery({ name: "format", required: false, enum: FORMATS })
	@Documented({
		summary:
			"What the experiment did and was worth: the answer, policy against control with always-valid intervals, metrics, arms, segments, guardrails, checks",
		answers: { 200: openObject },
		problems: [404, 422, 503],
	})
	async report(
		@Param("key") key: string,
		@Res({ passthrough: true }) reply: FastifyReply,
		@Query("format") format?: unknown,
	): Promise<ReportView | string> {
		const as = oneOf("format", format, FORMATS, "json");
		const report = await this.makeReport.execute(experimentKey(key));
		if (as === "json") return viewReport(report);
		if (as === "html") {
			reply.header("content-type", "text/html; charset=utf-8");
			reply.header(
				"content-security-policy",
				"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
			);
			reply.header("x-content-type-options", "nosniff");
			return this.reportPage(report);
		}
		reply.header("content-type", "text/csv; charset=utf-8");
		reply.header(
			"content-disposition",
			`attachment; filename="${report.experiment}-report.csv"`,
		);
		return reportCsv(report);
	}
}
