const ISO =
	/^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d{2}):?(\d{2}))$/i;
const DAY_MS = 86_400_000;
/** 9999-12-31T23:59:59.999Z. */
const LAST_MS = 253_402_300_799_999;

/**
 * Milliseconds since the epoch of an ISO 8601 instant with offset (`2026-01-05T07:30:00Z`, `…+02:00`), or of a whole number of
 * milliseconds; null where it is neither, or not in the years 1970 to 9999. Digits beyond milliseconds are cut.
 */
export function parseInstant(raw: unknown): number | null {
	if (typeof raw === "number")
		return Number.isInteger(raw) && raw >= 0 && raw <= LAST_MS ? raw + 0 : null;
	if (typeof raw !== "string" || raw.length > 40) return null;
	const match = ISO.exec(raw);
	if (match === null) return null;
	const [
		,
		year,
		month,
		day,
		hour,
		minute,
		second = "0",
		fraction = "",
		sign,
		offsetHour = "0",
		offsetMinute = "0",
	] = match;
	const y = Number(year);
	const m = Number(month);
	if (m < 1 || m > 12 || Number(day) < 1 || Number(day) > daysInMonth(y, m))
		return null;
	if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59)
		return null;
	if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return null;
	const offset =
		(Number(offsetHour) * 60 + Number(offsetMinute)) *
		60_000 *
		(sign === "-" ? -1 : 1);
	const time =
		((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000 +
		Number(fraction.slice(0, 3).padEnd(3, "0"));
	const at = daysFromEpoch(y, m, Number(day)) * DAY_MS + time - offset;
	return at >= 0 && at <= LAST_MS ? at : null;
}

function daysInMonth(year: number, month: number): number {
	if (month === 2)
		return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
	return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Days from 1970-01-01 in the proleptic Gregorian calendar, years counted from March so that the leap day is the last. */
function daysFromEpoch(year: number, month: number, day: number): number {
	const y = month <= 2 ? year - 1 : year;
	const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
	return (
		365 * y +
		Math.floor(y / 4) -
		Math.floor(y / 100) +
		Math.floor(y / 400) +
		dayOfYear -
		719_468
	);
}
