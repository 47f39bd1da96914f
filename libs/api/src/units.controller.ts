import { Controller, Delete, Inject, Param } from "@nestjs/common";
import { ApiParam, ApiTags } from "@nestjs/swagger";
import { z } from "zod";
import type { Receipt } from "#usecases/erasing";
import { Documented } from "./openapi.js";
import type { ApiParts } from "./parts.js";
import { tokens } from "./tokens.js";

const count = z.int().nonnegative();
const receiptSchema = z
	.strictObject({
		erasedAt: z.iso
			.datetime()
			.describe("All of the unit up to this instant is refused from now on."),
		removed: z.strictObject({
			decisions: count,
			learned: count.describe(
				"Of them, those whose share was taken out of the sums.",
			),
			waiting: count,
			outcomes: count,
			signals: count,
			requests: count,
			deadLetters: count,
			profiles: count,
			consents: count,
			spoolEntries: count,
			streamMessages: count,
		}),
		revisions: z
			.record(z.string(), count)
			.describe("Per experiment the revision that is free of the unit."),
		remains: z.array(
			z.strictObject({
				where: z.string(),
				why: z.string(),
				until: z.iso.datetime().nullable(),
			}),
		),
	})
	.describe("What was removed, and what remains until when.");

/** Units: whom decisions are made for. */
@ApiTags("units")
@Controller("v1/units")
export class UnitsController {
	constructor(
		@Inject(tokens.eraseUnit) private readonly eraseUnit: ApiParts["eraseUnit"],
	) {}

	@Delete(":unit")
	@ApiParam({ name: "unit", description: "Percent-encoded." })
	@Documented({
		summary:
			"Erase a unit exactly: its rows are deleted and its share is taken out of every sum",
		description:
			"Answers after the commit. A unit that nobody knows gets a tombstone too, since its events may be on their way; a unit that returns starts afresh.",
		answers: { 200: receiptSchema },
		problems: [422, 503],
	})
	async erase(@Param("unit") unit: string): Promise<Receipt> {
		return this.eraseUnit.execute(unit);
	}
}
