import { type BookingChanges, epochOf, runKeyOf } from "#core/booking";

/** Rollups as one list of whole numbers each, by what they are of. */
export function countsOf({
	sums,
	hours,
	draws,
	degraded,
}: Pick<BookingChanges, "sums" | "hours" | "draws" | "degraded">): ReadonlyMap<
	string,
	readonly bigint[]
> {
	const counts = new Map<string, readonly bigint[]>();
	for (const { slice, side, units, moments, covariate, ...key } of sums) {
		const name = `sums ${epochOf(key)} ${side} ${slice}`;
		counts.set(name, [BigInt(units), ...moments]);
		if (covariate.length > 0) counts.set(`${name} covariate`, covariate);
	}
	for (const one of hours) {
		const { decisions, shown, learned, reward } = one;
		const own = [decisions, shown, learned, reward].map(BigInt);
		const of = `${one.group} ${one.arm}`;
		counts.set(`hour ${epochOf(one)} ${one.hour} ${of}`, own);
		const day = `day ${epochOf(one)} ${Math.floor(one.hour / 24)} ${of}`;
		const others = counts.get(day) ?? [];
		counts.set(
			day,
			own.map((value, i) => value + (others[i] ?? 0n)),
		);
	}
	for (const one of draws)
		counts.set(
			`draws ${epochOf(one)} ${one.group} ${one.arm}`,
			[one.eligible, one.drawn, one.expected, one.variance].map(BigInt),
		);
	for (const one of degraded)
		counts.set(`degraded ${runKeyOf(one)} ${one.part}`, [
			BigInt(one.decisions),
		]);
	return counts;
}
