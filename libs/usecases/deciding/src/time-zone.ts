/** A place's time: an offset from UTC, or rules such as those of Europe/Berlin. */
export interface TimeZone {
	/**
	 * Hours since midnight there, in [0, 24), to a hundredth: what is logged, so that the decision is derived again without the rules.
	 * @param now milliseconds since the epoch
	 */
	hourAt(now: number): number;
}

const OFFSET = /^([+-])(\d{2}):?(\d{2})?$/;
const MOST_OFFSET_MINUTES = 14 * 60;
/** What IANA names look like, so that nothing else is looked up. */
const NAME = /^[A-Za-z][A-Za-z0-9_+/-]{1,63}$/;
const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
/** A hundredth of an hour. */
const STEP_MS = 36_000;

/** `Europe/Berlin`, `UTC`, `+02:00`; null for what is no zone. */
export function readTimeZone(text: unknown): TimeZone | null {
	if (typeof text !== "string") return null;
	const known = named.get(text.toLowerCase());
	if (known !== undefined) return known;
	const offset = OFFSET.exec(text);
	if (offset !== null) return readOffset(offset);
	if (!NAME.test(text)) return null;
	try {
		const zone = new NamedZone(text);
		named.set(text.toLowerCase(), zone);
		return zone;
	} catch {
		return null;
	}
}

function readOffset([, sign, hours, minutes = "0"]: RegExpExecArray) {
	const ahead = 60 * Number(hours) + Number(minutes);
	if (Number(minutes) > 59 || ahead > MOST_OFFSET_MINUTES) return null;
	const offsetMinutes = sign === "-" ? -ahead : ahead;
	return {
		hourAt: (now: number) =>
			hourOf(Math.floor(now / MINUTE_MS) + offsetMinutes, now),
	};
}

/** @param minutes whole ones since some midnight there */
function hourOf(minutes: number, now: number): number {
	const ofDay = ((minutes % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES;
	const sinceMidnight = ofDay * MINUTE_MS + (now % MINUTE_MS);
	return Math.floor(sinceMidnight / STEP_MS) / 100;
}

/** Asks the zone rules once a minute: an answer takes microseconds, and no offset changes within one. */
class NamedZone implements TimeZone {
	private readonly format: Intl.DateTimeFormat;
	/** Minute since the epoch, and the minute of the day that it was there. */
	private asked = Number.NaN;
	private ofDay = 0;

	/** Throws RangeError where there is no such zone. */
	constructor(timeZone: string) {
		this.format = new Intl.DateTimeFormat("en", {
			timeZone,
			hour: "numeric",
			minute: "numeric",
			hourCycle: "h23",
		});
	}

	hourAt(now: number): number {
		const minute = Math.floor(now / MINUTE_MS);
		if (minute !== this.asked) {
			this.ofDay = this.minuteOfDay(now);
			this.asked = minute;
		}
		return hourOf(this.ofDay, now);
	}

	private minuteOfDay(now: number): number {
		const parts = this.format.formatToParts(now);
		const of = (type: "hour" | "minute") =>
			Number(parts.find((part) => part.type === type)?.value);
		return 60 * of("hour") + of("minute");
	}
}

/** By name in lower case, since names are compared so: no more than there are zones, 28 KB each. */
const named = new Map<string, TimeZone>();

// The first zone of a process takes 25 ms, the others 0.4: so it is none that a decision waits for.
named.set("utc", new NamedZone("UTC"));
named.get("utc")?.hourAt(0);
