import {
	applyDecorators,
	createParamDecorator,
	type ExecutionContext,
	HttpCode,
	Post,
} from "@nestjs/common";
import { ApiParam } from "@nestjs/swagger";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import {
	type ExperimentView,
	etagOf,
	type Precondition,
	type StoredDefinition,
	viewDefinition,
} from "#usecases/defining";
import { ChangeHeaders, Documented } from "./openapi.js";
import { auditOf, type Headers, preconditionOf } from "./request-headers.js";
import {
	actionBody,
	experimentKey,
	type transitionSchema,
} from "./request-values.js";

export const CHANGE_PROBLEMS = [400, 404, 409, 413, 415, 422, 503];

/** A change of an experiment, as it came. */
export interface SentChange {
	readonly key: string;
	readonly body: unknown;
	readonly headers: Headers;
	readonly reply: FastifyReply;
}

export const Sent = createParamDecorator(
	(_: undefined, context: ExecutionContext): SentChange => {
		const http = context.switchToHttp();
		const { params, body, headers } = http.getRequest<FastifyRequest>();
		const { key } = params as { key: string };
		return { key, body, headers, reply: http.getResponse() };
	},
);

/** A route of its own for one action on an experiment, by whoever its headers say. */
export function Action(
	name: string,
	documented: {
		readonly summary: string;
		readonly description?: string;
		readonly body: z.ZodType;
		readonly answer: z.ZodType;
	},
): MethodDecorator {
	const { answer, ...route } = documented;
	return applyDecorators(
		Post(name),
		HttpCode(200),
		ApiParam({ name: "key" }),
		ChangeHeaders(),
		Documented({
			...route,
			answers: { 200: answer },
			problems: CHANGE_PROBLEMS,
		}),
	);
}

/** What an action asks for: its body, which experiment, who asks and why, and for which definition. Throws invalid. */
export function actionOf<S extends typeof transitionSchema>(
	{ key, body, headers }: SentChange,
	schema: S,
): z.output<S> &
	Precondition & { readonly key: string; readonly actor: string; why: string } {
	const asked = actionBody(schema, body);
	return {
		...asked,
		key: experimentKey(key),
		...auditOf(headers, asked.why),
		...preconditionOf(headers),
	};
}

/** The experiment as it is now, under its ETag. */
export function current(
	reply: FastifyReply,
	definition: StoredDefinition,
): ExperimentView {
	reply.header("etag", etagOf(definition));
	return viewDefinition(definition);
}
