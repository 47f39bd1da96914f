import type { Placed } from "./check-context.js";
import type {
	ArmDocument,
	ExperimentDocument,
	PolicyDocument,
	TrafficDocument,
} from "./document.js";
import type { ContextSchema, Problem } from "./experiment.js";
import { unknownKeyMessage } from "./nearest-key.js";
import { ruleProblems } from "./rule.js";

const MOST_PAYLOAD = 16_384;
/** What `traffic.baseline` says instead of an arm. */
const UNIFORM = "uniform";

/** @param context null where it has problems of its own, so that rules cannot be judged against it */
export function armProblems(
	arms: readonly Placed<ArmDocument>[],
	context: ContextSchema | null,
): Problem[] {
	const problems: Problem[] = [];
	const first = new Map<string, number>();
	for (const { index, value: arm } of arms) {
		const path = `arms[${index}]`;
		const known = first.get(arm.key);
		if (known === undefined) first.set(arm.key, index);
		else
			problems.push({
				path: `${path}.key`,
				message: `arms[${known}] has the key ${arm.key} too; keys must differ.`,
			});
		if (arm.key === UNIFORM)
			problems.push({
				path: `${path}.key`,
				message: `An arm cannot be called ${UNIFORM}: traffic.baseline means something else by it.`,
			});
		problems.push(
			...payloadProblems(arm.payload ?? {}, `${path}.payload`),
			...rulesOf(arm.eligible, context, `${path}.eligible`),
		);
		arm.payloads?.forEach(({ when, payload }, i) => {
			problems.push(
				...rulesOf(when, context, `${path}.payloads[${i}].when`),
				...payloadProblems(payload, `${path}.payloads[${i}].payload`),
			);
		});
	}
	return problems;
}

function rulesOf(
	rule: string | undefined,
	context: ContextSchema | null,
	path: string,
): Problem[] {
	if (rule === undefined || context === null) return [];
	return ruleProblems(rule, context).map((message) => ({ path, message }));
}

function payloadProblems(payload: object, path: string): Problem[] {
	const size = new TextEncoder().encode(JSON.stringify(payload)).length;
	if (size <= MOST_PAYLOAD) return [];
	const message = `Has ${size} bytes of JSON; at most ${MOST_PAYLOAD} go with a decision.`;
	return [{ path, message }];
}

/** Where no arm is active nothing can be answered. */
export function noActiveArm(arms: readonly ArmDocument[]): Problem[] {
	if (arms.some(isActive)) return [];
	return [
		{
			path: "arms",
			message:
				"Every arm is paused or retired, so nothing could be answered: leave one active.",
		},
	];
}

/** Arms named to serve that are not active: the first eligible arm serves instead. */
export function inactiveArmWarnings({
	arms,
	policy,
	traffic,
}: Pick<ExperimentDocument, "arms" | "policy" | "traffic">): Problem[] {
	const inactive = new Map(
		arms.filter((arm) => !isActive(arm)).map(({ key, state }) => [key, state]),
	);
	const baseline = traffic?.baseline ?? UNIFORM;
	const named = [
		...(policy.kind === "fixed"
			? [{ path: "policy.arm", arm: policy.arm }]
			: []),
		{
			path: "traffic.baseline",
			arm: baseline === UNIFORM ? (arms[0]?.key ?? "") : baseline,
		},
	];
	return named
		.filter(({ arm }) => inactive.has(arm))
		.map(({ path, arm }) => ({
			path,
			message: `${arm} is ${inactive.get(arm)}, so the first eligible arm serves in its place. Name an active arm.`,
		}));
}

function isActive({ state }: ArmDocument): boolean {
	return (state ?? "active") === "active";
}

/** Arms that policy and traffic name must exist. */
export function namedArmProblems(
	keys: readonly string[],
	policy: PolicyDocument | null,
	traffic: TrafficDocument | null,
): Problem[] {
	const problems: Problem[] = [];
	if (policy?.kind === "fixed" && !keys.includes(policy.arm))
		problems.push({ path: "policy.arm", message: noSuchArm(policy.arm, keys) });
	const baseline = traffic?.baseline ?? UNIFORM;
	if (baseline !== UNIFORM && !keys.includes(baseline))
		problems.push({
			path: "traffic.baseline",
			message: noSuchArm(baseline, [UNIFORM, ...keys]),
		});
	return problems;
}

function noSuchArm(name: string, known: readonly string[]): string {
	return unknownKeyMessage(name, known.slice(0, 20)).replace(
		"Unknown key",
		"No arm is called",
	);
}
