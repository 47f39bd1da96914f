import { columnOf, type Metric, RETURN_HOURS } from "#core/metrics";
import { findNamed, type Named, NONE_NAMED, namesIn } from "./named.js";
import { unpack } from "./packed.js";
import {
	ALL,
	armSlice,
	BOTH,
	FIRST,
	isArm,
	type Side,
	type Slice,
	WEEK1,
} from "./slice.js";
import {
	NOTHING,
	type Observation,
	type Returns,
	SliceSums,
} from "./slice-sums.js";
import {
	type GroupEntry,
	hourOf,
	type UnitEntry,
	WEEK_HOURS,
} from "./unit-entry.js";

/** What the sums of a slice and group change by. */
export interface SumsChange {
	readonly slice: Slice;
	readonly side: Side;
	readonly units: number;
	/** MOMENTS of each metric. */
	readonly moments: readonly bigint[];
	/** Empty where the slice has none. */
	readonly covariate: readonly bigint[];
}

/** What is told of a unit once its time is over. */
export interface Cohorts {
	/** Whether its cohort of so many hours is closed, for what is counted in its first week or for whether it came back. */
	isClosed(hours: number, of: "week1" | "return"): boolean;
	/** Whether it is back if it is there in an hour, since 1970. */
	tellsReturn(hour: number): boolean;
}

const SIDES: readonly Side[] = ["policy", "control"];

/** Changes of the sums of one epoch, from what units were to what they are. */
export class UnitSums {
	readonly #sums: { readonly [side in Side]: Map<Slice, SliceSums> } = {
		policy: new Map(),
		control: new Map(),
	};

	constructor(private readonly metrics: readonly Metric[]) {}

	/** Any function of what a unit did stays exact so: out with the old, in with the new. */
	move(before: UnitEntry, after: UnitEntry, were: Cohorts, are: Cohorts): void {
		for (const side of SIDES)
			this.#moveGroup(
				side,
				new Seen(before[side], were),
				new Seen(after[side], are),
			);
		const [was, is] = [firstSideOf(before), firstSideOf(after)];
		if (was !== is) {
			if (was !== null) this.#of(was, FIRST).move(NOTHING, undefined);
			if (is !== null) this.#of(is, FIRST).move(undefined, NOTHING);
		}
		if (isInBoth(before) !== isInBoth(after))
			this.#of("policy", BOTH).move(
				isInBoth(before) ? NOTHING : undefined,
				isInBoth(after) ? NOTHING : undefined,
			);
	}

	changes(): SumsChange[] {
		return SIDES.flatMap((side) =>
			[...this.#sums[side]].flatMap(([slice, sums]) => {
				const change = { slice, side, ...sums.changes() };
				return change.units === 0 &&
					change.moments.every((value) => value === 0n) &&
					change.covariate.every((value) => value === 0n)
					? []
					: [change];
			}),
		);
	}

	#moveGroup(side: Side, before: Seen, after: Seen): void {
		for (let i = 0; i < after.slices.length; i += 2)
			if (!after.isAsIn(before, i))
				this.#move(side, after.slices[i] as Slice, before, after);
		for (let i = 0; i < before.slices.length; i += 2) {
			const slice = before.slices[i] as Slice;
			if (findNamed(after.slices, slice) === undefined)
				this.#move(side, slice, before, after);
		}
	}

	#move(side: Side, slice: Slice, before: Seen, after: Seen): void {
		const [old, now] = [before.in(slice), after.in(slice)];
		if (old !== undefined || now !== undefined)
			this.#of(side, slice).move(old, now);
	}

	#of(side: Side, slice: Slice): SliceSums {
		let sums = this.#sums[side].get(slice);
		if (sums === undefined) {
			sums = new SliceSums(
				slice === FIRST || slice === BOTH ? [] : this.metrics,
				slice === ALL || slice === WEEK1,
			);
			this.#sums[side].set(slice, sums);
		}
		return sums;
	}
}

/** What a unit did in one group, as sums see it. */
class Seen {
	readonly slices: Named;
	readonly #returns: Returns | null;
	/** The slice of which its coming back is told beside `all`: that of the arm that stood first, or else of its arm where it had but one. */
	readonly #arm: Slice | null;

	constructor(
		private readonly group: GroupEntry | undefined,
		private readonly cohorts: Cohorts,
	) {
		this.slices = group?.slices ?? NONE_NAMED;
		this.#returns = group === undefined ? null : returnsOf(group, cohorts);
		this.#arm =
			group === undefined || this.#returns === null
				? null
				: group.arm === undefined
					? onlyArmOf(this.slices)
					: armSlice(group.arm);
	}

	/**
	 * Whether the slice at a place counts as it does there. Where more tells than what is counted in it, or it has another place there, that
	 * is not looked into: false.
	 */
	isAsIn(other: Seen, place: number): boolean {
		const slice = this.slices[place];
		return (
			other.slices[place] === slice &&
			other.slices[place + 1] === this.slices[place + 1] &&
			slice !== ALL &&
			slice !== WEEK1 &&
			slice !== this.#arm &&
			slice !== other.#arm
		);
	}

	in(slice: Slice): Observation | undefined {
		const packed = findNamed(this.slices, slice);
		if (
			this.group === undefined ||
			packed === undefined ||
			(slice === WEEK1 && !this.cohorts.isClosed(WEEK_HOURS, "week1"))
		)
			return undefined;
		// A unit that had several arms did not come back because of one.
		const returns = slice === ALL || slice === this.#arm ? this.#returns : null;
		return { raw: unpack(packed), returns, x: this.group.x };
	}
}

function onlyArmOf(slices: Named): Slice | null {
	const arms = namesIn(slices).filter(isArm);
	return arms.length === 1 ? (arms[0] as Slice) : null;
}

/** The group of a unit's first decision; null of a unit that did nothing. */
function firstSideOf({ policy, control }: UnitEntry): Side | null {
	if (policy === undefined) return control === undefined ? null : "control";
	return control === undefined || policy.first < control.first
		? "policy"
		: "control";
}

const isInBoth = ({ policy, control }: UnitEntry): boolean =>
	policy !== undefined && control !== undefined;

/**
 * Whether the unit came back, for those metrics whose time is over: a decision, or a visit while one stood, in another hour than the
 * first's and the next, before as many hours are over. Null while none is.
 */
function returnsOf(
	{ first, hours }: GroupEntry,
	cohorts: Cohorts,
): Returns | null {
	const closed = RETURNS.filter(([, within]) =>
		cohorts.isClosed(within, "return"),
	);
	if (closed.length === 0) return null;
	const from = hourOf(first);
	const later = unpack(hours).filter(
		(hour, i) => i % 2 === 0 && hour >= from + 2 && cohorts.tellsReturn(hour),
	);
	const came = (within: number) => later.some((hour) => hour < from + within);
	return new Map(closed.map(([place, within]) => [place, came(within)]));
}

/** After so many hours from the hour of its first decision something of a unit is counted that was not before. */
export const COHORT_HOURS: readonly number[] = [
	...new Set([WEEK_HOURS, ...Object.values(RETURN_HOURS)]),
];

const RETURNS = Object.entries(RETURN_HOURS).map(
	([name, within]) => [columnOf(name) / 2, within] as const,
);
