/**
 * What names something from a list: a level, a device, a playlist. What a person writes has spaces, an address has an @; U+2800 and the
 * ignorable code points look like a space or like nothing.
 */
const LABEL = /^[^@\p{C}\p{Z}\p{DI}\u2800]{0,64}$/u;
/** Most labels: ASCII without the point and comma that a coordinate needs. Found in half the time of the patterns that judge the rest. */
const PLAIN_LABEL = /^[!-+\-/-?A-~]{0,64}$/;
/** Two decimal numbers below 1000 with two decimals or more each: 52.52,13.40. Versions (1.25.10) and dates (26.11.2026) are none. */
const PAIR = /(?<!\d|\d\.)\d{1,3}([.,])\d\d+(?!\1)\D+\d{1,3}\1\d\d/;
/** Words that say where somebody is, in a name that is split into its words. */
const PLACE =
	/(?<!\p{L})(?:lat(?:itude|lo?ng?)?|lon(?:gitude|lat)?|lng(?:lat)?|gps|geo(?:hash|location|point|code|ip)?|coord(?:inate)?s?|(?:home|street|postal|ip)?address|street|post\P{L}?code|postal(?:code)?|zip(?:code)?|plus\P{L}?code|ipv?)(?:e?s)?(?!\p{L})|^long$/u;
const BETWEEN_WORDS = /(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g;

const FREE_TEXT = "free text is not stored";
const LOCATION = "a precise location, which is not stored";
const INSTEAD = "use a place (home, gym, commute) or a region instead";
export const PRECISE_LOCATION = `names ${LOCATION}: ${INSTEAD}`;

/**
 * Why the text is not stored, as the end of a sentence that does not repeat it; null where it may be. Free text may say anything of
 * anybody, so none is kept. Texts that a definition lists need not be asked about.
 */
export function whyTextIsNotStored(text: string): string | null {
	if (PLAIN_LABEL.test(text)) return null;
	if (!LABEL.test(text))
		return `must be a label of at most 64 characters without spaces, invisible characters or @, since ${FREE_TEXT}`;
	return PAIR.test(text)
		? `is a pair of coordinates, ${LOCATION}: ${INSTEAD}`
		: null;
}

/** Whether a value of that name would say where somebody is to the house: kept of nobody, whatever they consent to. */
export function isPreciseLocation(name: string): boolean {
	return PLACE.test(name.replace(BETWEEN_WORDS, "_").toLowerCase());
}

/** Why nothing is stored under that name, as the end of a sentence that does not repeat it; null where something may be. */
export function whyNameIsNotStored(name: string): string | null {
	return (
		whyTextIsNotStored(name) ??
		(isPreciseLocation(name) ? PRECISE_LOCATION : null)
	);
}

/** Whether something was refused for what is not stored: then nothing of it may be kept elsewhere, such as in a dead letter. */
export function isNotStored(reason: string): boolean {
	return reason.includes(FREE_TEXT) || reason.includes(LOCATION);
}
