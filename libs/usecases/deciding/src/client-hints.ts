import { type CompiledFeature, typeProblem } from "#core/context";
import type { ClientHint, JsonObject, JsonValue } from "#core/experiment";

/** The headers of a request; read only where a definition declares a hint. */
export interface RequestHeaders {
	/** @param name in lower case */
	header(name: string): string | undefined;
}

const NUMBER = /^\d{1,9}(?:\.\d{1,9})?$/;
/** A string of structured fields (RFC 8941) without escapes. */
const QUOTED = /^"([ !#-[\]-~]{1,64})"$/;
const CONNECTIONS = new Set(["slow-2g", "2g", "3g", "4g"]);

type Reading = readonly [
	headers: readonly string[],
	read: (text: string) => JsonValue | null,
];

/** What browsers send them in, the present name of a header first, and how they are read: what is not well formed is as good as not sent. */
const READINGS: Readonly<Record<ClientHint, Reading>> = {
	mobile: [["sec-ch-ua-mobile"], booleanIn],
	platform: [["sec-ch-ua-platform"], (text) => QUOTED.exec(text)?.[1] ?? null],
	downlink: [["downlink"], numberIn],
	bitrate: [["downlink"], (text) => kilobits(numberIn(text))],
	rtt: [["rtt"], numberIn],
	ect: [["ect"], (text) => (CONNECTIONS.has(text) ? text : null)],
	saveData: [["save-data"], (text) => (text === "on" ? true : booleanIn(text))],
	deviceMemory: [["sec-ch-device-memory", "device-memory"], numberIn],
};

/** A feature that a hint gives. */
export type Hinted = CompiledFeature & { readonly hint: ClientHint };

/** With what the headers say of features that the request's context does not give. */
export function withHints(
	values: JsonObject,
	hinted: readonly Hinted[],
	headers: RequestHeaders,
): JsonObject {
	const all: { [name: string]: JsonValue } = Object.assign({}, values);
	for (const feature of hinted) {
		if (Object.hasOwn(all, feature.name)) continue;
		const value = readHint(feature.hint, headers);
		if (value !== null && typeProblem(feature, value) === null)
			all[feature.name] = value;
	}
	return all;
}

function readHint(hint: ClientHint, headers: RequestHeaders): JsonValue | null {
	const [names, read] = READINGS[hint];
	for (const name of names) {
		const text = headers.header(name);
		if (text !== undefined) return read(text.trim());
	}
	return null;
}

function numberIn(text: string): number | null {
	return NUMBER.test(text) ? Number(text) : null;
}

function booleanIn(text: string): boolean | null {
	if (text === "?1") return true;
	return text === "?0" ? false : null;
}

/** Of Mbit/s. */
function kilobits(megabits: number | null): number | null {
	return megabits === null ? null : Math.round(1_000 * megabits);
}
