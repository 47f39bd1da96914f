import { z } from "zod";
import type { JsonObject } from "#core/experiment";
import type { ApiParts } from "./parts.js";
import { answerRequest } from "./request-reply.js";
import { checked } from "./request-values.js";

export const PUT_PROFILE_SUBJECT = "segue.profiles.put";
export const GET_PROFILE_SUBJECT = "segue.profiles.get";

export type ProfileSubject =
	| typeof PUT_PROFILE_SUBJECT
	| typeof GET_PROFILE_SUBJECT;

export type ProfileParts = Pick<
	ApiParts,
	"putProfile" | "getProfile" | "isDatabaseAway" | "onUnexpected"
>;

const getSchema = z.strictObject({ unit: z.string() });
/** Which features there are, the definitions say. */
const putSchema = getSchema.extend({
	profile: z.record(z.string(), z.unknown()),
});

/**
 * One request on `segue.profiles.put`, `{unit, profile}`, or on `segue.profiles.get`, `{unit}`: `{unit, profile}` out, as it is kept; a
 * problem has `status`, which no profile can be taken for. Never rejects, since whoever asked would wait in vain.
 */
export async function answerProfileRequest(
	subject: ProfileSubject,
	parts: ProfileParts,
	bytes: Uint8Array,
): Promise<Uint8Array> {
	return answerRequest({ ...parts, subject, bytes }, (body) =>
		answerOf(subject, parts, body),
	);
}

async function answerOf(
	subject: ProfileSubject,
	{ putProfile, getProfile }: ProfileParts,
	body: unknown,
): Promise<{ readonly unit: string; readonly profile: JsonObject }> {
	if (subject === GET_PROFILE_SUBJECT) {
		const { unit } = checked(getSchema, body, "The request");
		return { unit, profile: await getProfile.execute(unit) };
	}
	const { unit, profile } = checked(putSchema, body, "The request");
	return { unit, profile: await putProfile.execute(unit, profile) };
}
