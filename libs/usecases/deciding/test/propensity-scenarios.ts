import {
	type MemoryClock,
	type MemoryDecisionLog,
	type MemoryLive,
	type MemoryPosteriorSource,
	type MemoryRepeats,
} from "#adapters/memory";
import type {
	Definition,
	Experiment,
	JsonObject,
	Policy,
} from "#core/experiment";
import { NOTHING_STANDS, type StandingConsent } from "#core/privacy";
import type { Consents, DecisionRequest, Profiles } from "../src/index.js";
import { DAY, experiment } from "./definitions.js";

export interface Scenario {
	readonly name: string;
	readonly decisions: number;
	readonly policy?: Partial<Policy>;
	readonly definition?: Partial<Definition>;
	readonly experiment?: Partial<Experiment>;
	readonly request?: (i: number) => Partial<DecisionRequest>;
	/** Name in `degraded` that every decision must have, made by `trouble`. */
	readonly degraded?: string;
	readonly trouble?: (world: World) => void | Promise<void>;
	readonly profiles?: Profiles;
	/** What is stored of a unit's consent, under the rules of test/support/privacy.ts. */
	readonly consents?: Consents;
	/** Asks to one logged decision. */
	readonly asks?: number;
}

export interface World {
	readonly clock: MemoryClock;
	readonly source: MemoryPosteriorSource;
	readonly log: MemoryDecisionLog;
	readonly live: MemoryLive;
	readonly repeats: MemoryRepeats;
}

const tastes = (i: number) => ({ ...contextOf(i), taste: (i % 5) - 2 });
/** `energy` is for those whose taste is known and allowed. */
const byTaste = experiment.arms.map((arm) =>
	arm.key === "energy" ? { ...arm, eligible: "context.taste >= 0" } : arm,
);
/** At once for some, later for others, as one that has to be fetched. */
const lookedUp =
	(of: (unit: string) => StandingConsent | null): Consents["lookUp"] =>
	(unit) =>
		unit.length % 2 === 0 ? of(unit) : Promise.resolve(of(unit));

/** Never tried. */
const more = Array.from({ length: 80 }, (_, a) => ({
	key: `more-${a}`,
	payload: {},
	tags: [],
}));
const features = experiment.arms.map((arm, a) => ({
	...arm,
	features: [1, a / 4],
}));
/** @param most decisions of the scenario that has the most to show, `few` of each of the others */
export const scenariosOf = (most: number, few: number): readonly Scenario[] => [
	{
		name: "ties, control, exploration and eligibility rules",
		decisions: most,
	},
	{ name: "Thompson sampling", decisions: few, policy: { kind: "thompson" } },
	{
		name: "Thompson sampling over so many arms that it is done in slices",
		decisions: few,
		policy: { kind: "thompson" },
		experiment: { arms: [...experiment.arms, ...more] },
	},
	{
		name: "a hybrid policy",
		decisions: few,
		policy: { kind: "hybrid-linucb" },
		experiment: { arms: features },
	},
	{
		name: "a policy that forgets",
		decisions: few,
		policy: { halfLifeMs: 16 * DAY },
	},
	{ name: "a uniform policy", decisions: few, policy: { kind: "uniform" } },
	{
		name: "a fixed arm above a floor",
		decisions: few,
		policy: { kind: "fixed", arm: "energy", explore: 0.3 } as Partial<Policy>,
	},
	{
		name: "a floor of 1",
		decisions: few,
		policy: { explore: 1 },
	},
	{
		name: "paused and retired arms",
		decisions: few,
		experiment: {
			arms: experiment.arms.map((arm, a) => ({
				...arm,
				...(a === 0 && { state: "paused" as const }),
				...(a === 3 && { state: "retired" as const }),
			})),
		},
	},
	{
		name: "one eligible arm",
		decisions: few,
		request: () => ({ eligible: ["calm"] }),
	},
	{
		name: "units that ask three times of a sticky experiment",
		decisions: few,
		experiment: { sticky: "unit" },
		asks: 3,
		request: (i) => ({ unit: `listener-${Math.floor(i / 3)}` }),
	},
	{
		name: "sticky decisions that are replaced, their arms being ruled out",
		decisions: few,
		experiment: { sticky: "unit" },
		request: (i) => ({
			unit: `listener-${Math.floor(i / 2)}`,
			eligible: i % 2 === 0 ? ["calm"] : ["focus", "energy", "run"],
		}),
	},
	{
		name: "requests sent twice",
		decisions: few,
		asks: 2,
		request: (i) => ({
			unit: `listener-${Math.floor(i / 2)}`,
			requestId: `request-${Math.floor(i / 2)}`,
			context: contextOf(Math.floor(i / 2)),
		}),
	},
	{
		name: "a posterior that cannot be read",
		decisions: few,
		degraded: "posterior",
		trouble: ({ source, clock }) => {
			source.away = true;
			clock.advance(10_000);
		},
	},
	{
		name: "live windows that are not ready",
		decisions: few,
		degraded: "live",
		trouble: ({ live }) => {
			live.ready = false;
		},
	},
	{
		name: "profiles that some units have, in memory or on their way",
		decisions: few,
		profiles: {
			lookUp: (unit) => {
				const profile: JsonObject = unit.endsWith("1") ? { loyalty: 1 } : {};
				return unit.length % 2 === 0 ? profile : Promise.resolve(profile);
			},
		},
	},
	{
		name: "profiles out of reach",
		decisions: few,
		degraded: "profile",
		profiles: { lookUp: async () => null },
	},
	{
		name: "consents that some units gave, and others refused or never spoke of",
		decisions: few,
		experiment: { arms: byTaste },
		consents: {
			lookUp: lookedUp((unit) => ({
				...NOTHING_STANDS,
				answers: Object.fromEntries(
					unit.endsWith("3") ? [] : [["personalization", !unit.endsWith("7")]],
				),
			})),
		},
		request: (i) => ({ context: tastes(i) }),
	},
	{
		name: "consents that cannot be told, whatever the requests themselves allow",
		decisions: few,
		degraded: "consent",
		experiment: { arms: byTaste },
		consents: { lookUp: lookedUp(() => null) },
		request: (i) => ({
			context: tastes(i),
			...(i % 2 === 0 && { consent: { personalization: i % 4 === 0 } }),
		}),
	},
	{
		name: "a stream that is away",
		decisions: few,
		degraded: "stream",
		trouble: ({ log }) => {
			log.place = "spool";
		},
	},
	{
		name: "a stream that is away, for requests that may be sent again",
		decisions: few,
		degraded: "stream",
		request: (i) => ({ requestId: `request-${i}` }),
		trouble: ({ log }) => {
			log.place = "spool";
		},
	},
	{
		name: "keys of retries out of reach",
		decisions: few,
		degraded: "retry",
		request: (i) => ({ requestId: `request-${i}` }),
		trouble: ({ repeats }) => {
			repeats.away = true;
		},
	},
	{
		name: "keys of sticky decisions out of reach",
		decisions: few,
		degraded: "sticky",
		experiment: { sticky: "unit" },
		trouble: ({ repeats }) => {
			repeats.away = true;
		},
	},
	{
		name: "requests without the session that their experiment decides for",
		decisions: few,
		degraded: "sticky",
		experiment: { sticky: "session" },
	},
	{
		name: "a baseline arm that is not eligible",
		decisions: few,
		degraded: "baseline",
		experiment: { traffic: { share: 1, control: 1, baseline: "run" } },
		request: (i) => ({ context: { ...contextOf(i), activity: "work" } }),
	},
	{
		name: "a guardrail that holds the policy at uniform control",
		decisions: few,
		degraded: "guardrail",
		definition: { held: true },
		experiment: { traffic: { share: 1, control: 0, baseline: "uniform" } },
	},
	{
		name: "a guardrail that holds the policy at a baseline arm that is not eligible",
		decisions: few,
		degraded: "guardrail",
		definition: { held: true },
		experiment: { traffic: { share: 1, control: 0, baseline: "run" } },
		request: (i) => ({ context: { ...contextOf(i), activity: "work" } }),
	},
	{
		name: "a paused experiment",
		decisions: few,
		degraded: "paused",
		definition: { state: "paused" },
	},
	{
		name: "a stopped experiment with a winner",
		decisions: few,
		degraded: "stopped",
		definition: { state: "stopped", winner: "calm" },
	},
];

export function contextOf(i: number) {
	return {
		hour: [0, 6, 12, 18][i % 4],
		device: ["phone", "desktop", "watch"][i % 3],
		activity: ["sleep", "work", "run"][Math.floor(i / 12) % 3],
	};
}
