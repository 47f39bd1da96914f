import { z } from "zod";
import type { WrittenConsent } from "#core/privacy";
import type { ApiParts } from "./parts.js";
import { answerRequest } from "./request-reply.js";
import { checked } from "./request-values.js";

export const PUT_CONSENT_SUBJECT = "segue.consents.put";
export const GET_CONSENT_SUBJECT = "segue.consents.get";

export type ConsentSubject =
	| typeof PUT_CONSENT_SUBJECT
	| typeof GET_CONSENT_SUBJECT;

export type ConsentParts = Pick<
	ApiParts,
	"putConsent" | "getConsent" | "isDatabaseAway" | "onUnexpected"
>;

const getSchema = z.strictObject({ unit: z.string() });
/** Which purposes there are, the privacy files say. */
const putSchema = getSchema.extend({
	consent: z.record(z.string(), z.unknown()),
});

/**
 * One request on `segue.consents.put`, `{unit, consent}`, or on `segue.consents.get`, `{unit}`: `{unit, consent}` out, as it is kept; a
 * problem has `status`, which no consent can be taken for. Never rejects, since whoever asked would wait in vain.
 */
export async function answerConsentRequest(
	subject: ConsentSubject,
	parts: ConsentParts,
	bytes: Uint8Array,
): Promise<Uint8Array> {
	return answerRequest({ ...parts, subject, bytes }, (body) =>
		answerOf(subject, parts, body),
	);
}

async function answerOf(
	subject: ConsentSubject,
	{ putConsent, getConsent }: ConsentParts,
	body: unknown,
): Promise<{ readonly unit: string; readonly consent: WrittenConsent }> {
	if (subject === GET_CONSENT_SUBJECT) {
		const { unit } = checked(getSchema, body, "The request");
		return { unit, consent: await getConsent.execute(unit) };
	}
	const { unit, consent } = checked(putSchema, body, "The request");
	return { unit, consent: await putConsent.execute(unit, consent) };
}
