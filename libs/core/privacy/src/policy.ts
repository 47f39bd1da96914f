/** Rules about people's data, as privacy files write them, validated and frozen (see parse-privacy.ts). Spans are milliseconds. */
export interface PrivacyPolicy {
	/** Hash of all that the files say, whatever their layout, order and comments. */
	readonly version: string;
	/** What data may be used for, by name, each in a sentence. */
	readonly purposes: ReadonlyMap<string, string>;
	/** Whose rules hold where no other's do. */
	readonly defaultJurisdiction: string;
	readonly jurisdictions: ReadonlyMap<string, Jurisdiction>;
}

export interface Jurisdiction {
	/** Purposes that need a yes; all others are allowed unless refused. */
	readonly optIn: ReadonlySet<string>;
	/** Purposes and features that nobody can allow. */
	readonly forbidden: {
		readonly purposes: ReadonlySet<string>;
		readonly features: ReadonlySet<string>;
	};
	/** Null where age plays no part. */
	readonly age: AgeRule | null;
	readonly retention: Retention;
}

export interface AgeRule {
	/** Years, from which on the purposes may be allowed. */
	readonly minimum: number;
	readonly purposes: ReadonlySet<string>;
	/** Whether somebody whose age nobody told is held for too young. */
	readonly refuseUnknown: boolean;
}

/** How long each kind of data is kept; null: no longer than others say. */
export interface Retention {
	readonly log: number | null;
	readonly profile: number | null;
	readonly consent: number | null;
	readonly windows: number | null;
	/** The ids of units, in whatever they stand. */
	readonly ids: number | null;
}

/** Names that stand beside purposes where consent is written. */
export const BESIDE_PURPOSES = ["jurisdiction", "ageAtLeast"] as const;

/** Knows no purpose, so allows none: what holds where no files are given. */
export const NO_PRIVACY: PrivacyPolicy = Object.freeze({
	version: "none",
	purposes: new Map(),
	defaultJurisdiction: "none",
	jurisdictions: new Map([
		[
			"none",
			{
				optIn: new Set<string>(),
				forbidden: {
					purposes: new Set<string>(),
					features: new Set<string>(),
				},
				age: null,
				retention: {
					log: null,
					profile: null,
					consent: null,
					windows: null,
					ids: null,
				},
			},
		],
	]),
});

/** The rules that hold for a name; one that no file declares is ruled by the default. */
export function rulesFor(
	{ jurisdictions, defaultJurisdiction }: PrivacyPolicy,
	name: string | null,
): { readonly name: string; readonly rules: Jurisdiction } {
	const named = name === null ? undefined : jurisdictions.get(name);
	if (name !== null && named !== undefined) return { name, rules: named };
	return {
		name: defaultJurisdiction,
		rules: jurisdictions.get(defaultJurisdiction) as Jurisdiction,
	};
}

/** Years that some rule asks for, ascending: all that needs to be known of an age. */
export function agesAsked({ jurisdictions }: PrivacyPolicy): number[] {
	const ages = new Set<number>();
	for (const { age } of jurisdictions.values())
		if (age !== null) ages.add(age.minimum);
	return [...ages].sort((a, b) => a - b);
}
