import { hasValue } from "#core/context";
import {
	type ContextSchema,
	isPlainObject,
	type JsonObject,
	type JsonValue,
	type ValueFeature,
} from "#core/experiment";
import type { DecisionRow } from "#core/log";
import {
	type Consent,
	featureProblem,
	gateOf,
	isGoverned,
	NO_CONSENT,
	type PrivacyPolicy,
	purposeProblem,
	rulesFor,
	type StandingConsent,
	strictest,
	type Withholding,
} from "#core/privacy";
import { compileGathering, type Gathering } from "./gather-context.js";
import {
	ALL_ABSENT,
	type Reasons,
	toExtra,
	type WhyMissing,
} from "./why-missing.js";

/** What the privacy rules say of a decision, as the log keeps it. */
export interface Ruling {
	/** Hash of the rules. */
	readonly version: string;
	/** Whose rules held. */
	readonly jurisdiction: string;
	/** Per purpose that the experiment asks for: whether it was allowed. */
	readonly consent: { readonly [purpose: string]: boolean };
	/** Per feature that was withheld: why. */
	readonly withheld: { readonly [feature: string]: Withholding };
}

/** A ruling, and how a context is gathered under it. */
export interface Ruled {
	readonly ruling: Ruling;
	readonly gathering: Gathering;
	/** What was stored could not be told. */
	readonly isUnknown: boolean;
}

/** What the unit, its request and a token said. `stored` is null where it could not be told. */
export interface SaidOfConsent {
	readonly stored: StandingConsent | null;
	readonly request: Consent | null;
	readonly token: Consent | null;
}

const extras = new WeakMap<Ruling, JsonObject>();

/** What of a ruling, and of why features are missing, has no column of its own. */
export function extraOf(ruling: Ruling | null, reasons: Reasons): JsonValue {
	if (ruling === null) return toExtra(reasons);
	let besides = extras.get(ruling);
	if (besides === undefined) {
		const { jurisdiction, withheld } = ruling;
		besides = Object.freeze({ privacy: { jurisdiction, withheld } });
		extras.set(ruling, besides);
	}
	return toExtra(reasons, besides);
}

/** The ruling that a row was made under; null where there was none. */
export function rulingOf({
	consent,
	privacyVersion,
	extra,
}: Pick<DecisionRow, "consent" | "privacyVersion" | "extra">): Ruling | null {
	if (consent === null || privacyVersion === null) return null;
	const privacy = isPlainObject(extra) ? extra.privacy : null;
	const { jurisdiction, withheld } = (privacy ?? {}) as Partial<Ruling>;
	return {
		version: privacyVersion,
		jurisdiction: jurisdiction ?? "",
		consent,
		withheld: withheld ?? {},
	};
}

/** Rulings are few for an experiment: jurisdictions × answers. Beyond it they are made each time. */
const MOST_REMEMBERED = 1_000;

/** Rules over the features of one definition, made once; null where no rule touches any of them. */
export function compileRulings(
	schema: ContextSchema,
	policy: PrivacyPolicy,
): Rulings | null {
	// Products have no values of their own: without one of their features they are missing too.
	const governed = schema.features
		.filter(hasValue)
		.filter((feature) => isGoverned(policy, feature));
	return governed.length === 0 ? null : new Rulings(schema, governed, policy);
}

export class Rulings {
	private readonly purposes: readonly string[];
	/** Keys of their gates, by the names of features. */
	private readonly gates: ReadonlyMap<string, string>;
	private readonly remembered = new Map<string, Ruled>();

	constructor(
		private readonly schema: ContextSchema,
		private readonly governed: readonly ValueFeature[],
		private readonly policy: PrivacyPolicy,
	) {
		this.purposes = [
			...new Set(governed.flatMap(({ consent }) => consent ?? [])),
		];
		this.gates = new Map(
			governed.flatMap((feature) => {
				const gate = gateOf(policy, feature);
				return gate === null ? [] : [[feature.name, gate.key] as const];
			}),
		);
	}

	/** The strictest of all that was said holds; live features ask in addition what is stored, which alone lets events into windows. */
	rule({ stored, request, token }: SaidOfConsent): Ruled {
		const said = [stored ?? NO_CONSENT, request, token].filter(
			(one) => one !== null,
		);
		const together = said.length === 1 ? said[0]! : strictest(said);
		const key = `${this.keyOf(together)}${stored === null ? "?" : this.keyOf(stored)}`;
		const known = this.remembered.get(key);
		if (known !== undefined) return known;
		const ruled = this.make(together, stored);
		if (this.remembered.size < MOST_REMEMBERED) this.remembered.set(key, ruled);
		return ruled;
	}

	/** All that a ruling depends on. */
	private keyOf({ answers, jurisdiction, ageAtLeast }: Consent): string {
		const { name } = rulesFor(this.policy, jurisdiction);
		let key = `${name}${jurisdiction === null ? "?" : ""} ${ageAtLeast} `;
		for (const purpose of this.purposes) {
			const answer = Object.hasOwn(answers, purpose)
				? answers[purpose]
				: undefined;
			key += answer === undefined ? "-" : answer ? "y" : "n";
		}
		return key;
	}

	private make(together: Consent, stored: StandingConsent | null): Ruled {
		const { policy } = this;
		const problemOf = (feature: ValueFeature) => {
			const problem = featureProblem(policy, together, feature);
			if (problem === "forbidden" || problem === "refused") return problem;
			// A refusal may be stored, and rules of a place that is not known may forbid it.
			if (stored === null && this.maySay(feature, together)) return "unknown";
			if (problem !== null || feature.from !== "live") return problem;
			return featureProblem(policy, stored ?? NO_CONSENT, feature);
		};
		const withheld: { [feature: string]: Withholding } = {};
		for (const feature of this.governed) {
			const problem = problemOf(feature);
			if (problem !== null) withheld[feature.name] = problem;
		}
		const consent = Object.fromEntries(
			this.purposes.map((purpose) => [
				purpose,
				stored !== null && purposeProblem(policy, together, purpose) === null,
			]),
		);
		return Object.freeze({
			ruling: Object.freeze({
				version: policy.version,
				jurisdiction: rulesFor(policy, together.jurisdiction).name,
				consent: Object.freeze(consent),
				withheld: Object.freeze(withheld),
			}),
			gathering: compileGathering(
				this.schema,
				reasonsFor(withheld),
				this.gates,
			),
			isUnknown: stored === null,
		});
	}

	/** Whether what is stored could withhold the feature, given what was said. */
	private maySay(feature: ValueFeature, { jurisdiction }: Consent): boolean {
		return feature.consent !== undefined || jurisdiction === null;
	}
}

function reasonsFor(withheld: Ruling["withheld"]): Reasons {
	const reasons = Object.entries(withheld).map(
		([name, why]): [string, WhyMissing] => [
			name,
			why === "unknown" ? "over budget" : "no consent",
		],
	);
	return reasons.length === 0
		? ALL_ABSENT
		: Object.freeze(Object.fromEntries(reasons));
}
