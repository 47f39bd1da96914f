import type { Decision } from "#usecases/deciding";

/** Payloads belong to definitions, which do not change, so each is written out once. */
const payloads = new WeakMap<object, string>();

/** What JSON.stringify makes of a decision, key by key, in a third of its time. */
export function decisionJson(decision: Decision): string {
	let text = "";
	for (const key in decision) {
		const value: unknown = decision[key as keyof Decision];
		if (value === undefined) continue;
		text += `${text === "" ? "{" : ","}"${key}":`;
		if (key === "payload") text += payloadJson(value as object);
		else if (Array.isArray(value) && value.length === 0) text += "[]";
		else text += JSON.stringify(value);
	}
	return `${text}}`;
}

function payloadJson(payload: object): string {
	const known = payloads.get(payload);
	if (known !== undefined) return known;
	const text = JSON.stringify(payload);
	payloads.set(payload, text);
	return text;
}
