/** What names something from a list: a level, a device, a playlist. What a person writes has spaces, an address has an @. */
const LABEL = /^[^\s@]{1,64}$/u;
const PLACE =
	/^(?:lat|latitude|lon|lng|long|longitude|gps|geo|geo_?hash|geo_?location|coordinates?|coords|street|(?:street|home|postal)?_?address|post_?code|postal_?code|zip|zip_?code)$/i;

/** Why the text is not stored, as the end of a sentence; null where it may be. Free text may say anything of anybody, so none is kept. */
export function freeTextProblem(text: string): string | null {
	return LABEL.test(text)
		? null
		: "must be a label of at most 64 characters without spaces or @, since free text is not stored";
}

/** Whether a value of that name would say where somebody is to the house: kept of nobody, whatever they consent to. */
export function isPreciseLocation(name: string): boolean {
	return PLACE.test(name);
}

export const PRECISE_LOCATION =
	"names a precise location, which is not stored: use a place (home, gym, commute) or a region instead";
