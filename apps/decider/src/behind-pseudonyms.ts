import type { ApiParts } from "#api";
import { type Event, timeOfId } from "#core/log";
import type { Consents } from "#usecases/deciding";
import type { FormerNames, Pseudonyms } from "#usecases/pseudonymising";

/** The calls that name a unit, but for those that go by a decision's or an event's time, or by all its names. */
type Calls = Pick<
	ApiParts,
	"putProfile" | "getProfile" | "putConsent" | "getConsent"
>;

export interface Door {
	/** Null where units go by the names that clients give them. */
	readonly pseudonyms: Pseudonyms | null;
	readonly former: FormerNames;
	/** Of some names, those under which something is kept that a consent concerns. */
	readonly kept: (names: readonly string[]) => Promise<ReadonlySet<string>>;
	readonly clock: { now(): number };
}

/** By which the clocks of processes may differ: so long before a key begins, a consent is put under the coming name too. */
const CLOCKS_MS = 60_000;

/** What a unit is called at an instant; what it was called before is remembered for what is looked up by unit. */
export function unitAt({
	pseudonyms,
	former,
}: Pick<Door, "pseudonyms" | "former">) {
	if (pseudonyms === null) return undefined;
	return (unit: string, instant: number): string => {
		const names = pseudonyms.upTo(unit, instant);
		former.remember(names);
		return names[0] ?? unit;
	};
}

/** The same use cases, told of units by their pseudonyms. Themselves where there are no pseudonyms. */
export function behindPseudonyms(calls: Calls, door: Door): Calls {
	const { pseudonyms, clock, kept } = door;
	const nameAt = unitAt(door);
	if (pseudonyms === null || nameAt === undefined) return calls;
	const nameOf = (unit: string) => nameAt(unit, clock.now());
	return {
		putProfile: {
			execute: (unit, body) => calls.putProfile.execute(nameOf(unit), body),
		},
		getProfile: {
			execute: (unit) => calls.getProfile.execute(nameOf(unit)),
		},
		putConsent: {
			async execute(unit, body) {
				const now = clock.now();
				const name = nameAt(unit, now);
				const written = await calls.putConsent.execute(name, body);
				// What lies under another name must not outlast a withdrawal.
				const names = pseudonyms.upTo(unit, now + CLOCKS_MS);
				const coming = names.indexOf(name);
				const here = await kept(names.slice(coming + 1));
				for (const [i, other] of names.entries())
					if (i < coming || here.has(other))
						await calls.putConsent.execute(other, body);
				return written;
			},
		},
		getConsent: {
			execute: (unit) => calls.getConsent.execute(nameOf(unit)),
		},
	};
}

/**
 * What an event's unit is called: as the decision that it names was told, since an outcome belongs to its decision's unit; else as of its
 * own time, so that an event sent again is the same event, but never as the client does once there is a key.
 */
export function eventUnit(pseudonyms: Pseudonyms): (event: Event) => string {
	return ({ unit, at, decisionId }) =>
		pseudonyms.at(
			unit,
			decisionId === undefined
				? Math.max(at, pseudonyms.begin)
				: timeOfId(decisionId),
		);
}

interface ByUnit {
	read(units: readonly string[]): Promise<ReadonlyMap<string, unknown>>;
}

/** Of names, those under which one of the stores has something. */
export function keptBy(...stores: readonly ByUnit[]): Door["kept"] {
	return async (names) => {
		if (names.length === 0) return new Set();
		const found = await Promise.all(stores.map((store) => store.read(names)));
		return new Set(found.flatMap((rows) => [...rows.keys()]));
	};
}

/** Consents of units whose former names are known: of others nobody can tell, where units were renamed, what they said under those. */
export function consentsOfKnown(
	consents: Consents,
	{ pseudonyms, former, clock }: Omit<Door, "kept">,
): Consents {
	if (pseudonyms === null) return consents;
	return {
		lookUp: (unit, budgetMs) =>
			pseudonyms.areRenamed(clock.now()) && !former.knows(unit)
				? null
				: consents.lookUp(unit, budgetMs),
	};
}
