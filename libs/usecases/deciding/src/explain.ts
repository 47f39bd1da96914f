import type {
	Definition,
	FeatureSource,
	Group,
	JsonValue,
} from "#core/experiment";
import type { DecisionRow } from "#core/log";
import type { Considered } from "./considered.js";

export interface Explanation {
	readonly x: readonly number[];
	/** Every declared feature with its value after consent; null where it has none. */
	readonly features: readonly {
		readonly name: string;
		readonly value: JsonValue;
		readonly source: FeatureSource;
	}[];
	readonly arms: readonly ExplainedArm[];
	readonly sentence: string;
}

export interface ExplainedArm {
	readonly arm: string;
	readonly eligible: boolean;
	readonly reason?: string;
	/** θᵀx; null, like the following, for an arm that was not eligible. */
	readonly mean: number | null;
	readonly width: number | null;
	/** mean + α·width. */
	readonly score: number | null;
	/** In the distribution that was served; null where nothing was drawn. */
	readonly propensity: number | null;
	/** θᵢ·xᵢ per coordinate that is not 0; they sum to the mean. */
	readonly contributions: readonly {
		readonly name: string;
		readonly value: number;
	}[];
}

/** What was drawn; null in mode `best`. */
type Drawn = Pick<DecisionRow, "group" | "propensities"> | null;

/** Why a decision came out as it did, from the very numbers it was made of. `chosen` is the place among the eligible arms. */
export function explain(
	considered: Considered,
	chosen: number,
	drawn: Drawn,
): Explanation {
	const { values } = considered.context;
	const features = considered.definition.experiment.context.features.map(
		({ name, from }) => ({
			name,
			value: Object.hasOwn(values, name) ? (values[name] ?? null) : null,
			source: from,
		}),
	);
	return {
		x: [...considered.x],
		features,
		arms: explainArms(considered, drawn),
		sentence: sentence(considered, chosen, drawn),
	};
}

function explainArms(
	{ compiled, x, arms, posterior, scored }: Considered,
	drawn: Drawn,
): ExplainedArm[] {
	const places = new Map(arms.eligible.map((index, place) => [index, place]));
	return compiled.armKeys.map((arm, index) => {
		const place = places.get(index);
		if (place === undefined)
			return excludedArm(arm, arms.excluded[arm] ?? "not eligible");
		const { theta } = posterior.models[index]!;
		const contributions = compiled.encoder.names
			.map((name, i) => ({ name, value: theta[i]! * x[i]! }))
			.filter(({ value }) => value !== 0);
		const numbers = {
			mean: scored.means[place]!,
			width: scored.widths[place]!,
			score: scored.scores[place]!,
		};
		return {
			arm,
			eligible: true,
			...numbers,
			propensity: drawn?.propensities[place] ?? null,
			contributions,
		};
	});
}

function excludedArm(arm: string, reason: string): ExplainedArm {
	return {
		arm,
		eligible: false,
		reason,
		mean: null,
		width: null,
		score: null,
		propensity: null,
		contributions: [],
	};
}

function sentence(
	{ definition, arms, scored }: Considered,
	chosen: number,
	drawn: Drawn,
): string {
	const count =
		arms.keys.length === 1
			? "the one eligible arm"
			: `${arms.keys.length} eligible arms`;
	const score = `its expected reward here is ${round(scored.means[chosen]!)} ± ${round(scored.widths[chosen]!)}`;
	if (drawn === null)
		return `${arms.keys[chosen]} has the highest expected reward of ${count}: ${score}.`;
	const chance = `with probability ${round(drawn.propensities[chosen]!)} of ${count}`;
	return `${arms.keys[chosen]} was chosen ${chance}, ${reasonOf(drawn.group, definition)}; ${score}.`;
}

function reasonOf(
	group: Group,
	{ state, experiment: { policy } }: Definition,
): string {
	if (group === "control") return "as the comparison that control units get";
	if (group === "outside")
		return state === "running"
			? "since the unit is outside the experiment's traffic"
			: `since the experiment is ${state}`;
	switch (policy.kind) {
		case "linucb":
		case "hybrid-linucb":
		case "thompson":
			return `by ${policy.kind} with alpha ${policy.alpha} and an exploration floor of ${policy.explore}`;
		case "uniform":
			return "by the uniform policy";
		case "fixed":
			return `by the policy that always answers ${policy.arm}, with an exploration floor of ${policy.explore}`;
	}
}

const round = (value: number): number => Number(value.toPrecision(4));
