import { applyDecorators } from "@nestjs/common";
import {
	ApiBody,
	ApiHeader,
	ApiOperation,
	type ApiOperationOptions,
	ApiResponse,
} from "@nestjs/swagger";
import { z } from "zod";
import { problemSchema } from "./schemas.js";

type SchemaObject = NonNullable<
	Parameters<typeof ApiBody>[0] & { schema?: unknown }
>["schema"];

/** A schema that validates, as OpenAPI 3.0 writes it. */
function toOpenApi(schema: z.ZodType): SchemaObject {
	const { $schema: _, ...json } = z.toJSONSchema(schema, {
		target: "openapi-3.0",
		io: "input",
		unrepresentable: "any",
	});
	return json as SchemaObject;
}

interface Documented {
	readonly summary: string;
	readonly description?: string;
	readonly body?: z.ZodType;
	/** Schema of the answer by status; a string describes an answer that is no JSON. */
	readonly answers: { readonly [status: number]: z.ZodType | string };
	/** Statuses of problems, beside 500. */
	readonly problems?: readonly number[];
	/** Of those, the ones whose problem has members of its own. */
	readonly problemSchemas?: { readonly [status: number]: z.ZodType };
}

/** Describes a route in the OpenAPI document. Nothing here acts on requests. */
export function Documented({
	summary,
	description,
	body,
	answers,
	problems = [],
	problemSchemas = {},
}: Documented): MethodDecorator {
	const operation: ApiOperationOptions = {
		summary,
		...(description !== undefined && { description }),
	};
	const answered = Object.entries(answers).map(([status, schema]) =>
		typeof schema === "string"
			? ApiResponse({ status: Number(status), description: schema })
			: ApiResponse({
					status: Number(status),
					description: schema.description ?? "",
					content: { "application/json": { schema: toOpenApi(schema) } },
				} as never),
	);
	const refused = [...problems, 500].map((status) =>
		ApiResponse({
			status,
			description: "A problem",
			content: {
				"application/problem+json": {
					schema: toOpenApi(problemSchemas[status] ?? problemSchema),
				},
			},
		} as never),
	);
	return applyDecorators(
		ApiOperation(operation),
		...(body === undefined
			? []
			: [ApiBody({ schema: toOpenApi(body) } as never)]),
		...answered,
		...refused,
	);
}

/** Headers of every change of an experiment. */
export function ChangeHeaders(): MethodDecorator {
	return applyDecorators(
		ApiHeader({
			name: "if-match",
			required: false,
			description:
				"ETag that the change was made for; stale: 409 says what changed.",
		}),
		ApiHeader({
			name: "x-segue-actor",
			required: false,
			description: "Who changes it, for the audit (default `api`).",
		}),
		ApiHeader({
			name: "x-segue-why",
			required: false,
			description: "Why, for the audit.",
		}),
	);
}
