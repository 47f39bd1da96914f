import type { Placed } from "./check-context.js";
import { parseDuration } from "./duration.js";
import type { Problem } from "./experiment.js";
import type {
	FeatureDocument,
	NumberDocument,
	ValueDocument,
} from "./feature-document.js";
import { FIELDS_OF, propertyOf, readsNumbers } from "./live-feature.js";
import { RETRACT } from "./patterns.js";

const SHORTEST_MS = 1_000;
const LONGEST_MS = 3_600_000;
const LIVE_ONLY = [
	"event",
	"window",
	"aggregate",
	"of",
	"by",
	"item",
	"arm",
] as const;

/** What is wrong with how a feature is made of events, or with words of that where it is not. */
export function liveProblems(
	feature: ValueDocument,
	path: string,
	all: readonly Placed<FeatureDocument>[],
): Problem[] {
	if (feature.from !== "live") {
		const given: Readonly<Record<string, unknown>> = feature;
		if (feature.kind !== "number" && feature.kind !== "vector") return [];
		return LIVE_ONLY.filter((key) => given[key] !== undefined).map((key) => ({
			path: `${path}.${key}`,
			message: `${key} goes with from: live; this feature is from: ${feature.from}.`,
		}));
	}
	if (feature.kind === "vector")
		return [...eventProblems(feature), ...windowProblems(feature)].map(
			([key, message]) => ({ path: `${path}.${key}`, message }),
		);
	if (feature.kind !== "number")
		return [
			{
				path: `${path}.kind`,
				message: `A live feature is a number made of events, or the mean vector of the items they name, so its kind must be number or vector, not ${feature.kind}.`,
			},
		];
	return [
		...eventProblems(feature),
		...windowProblems(feature),
		...fieldProblems(feature),
		...itemProblems(feature, all),
		...armProblems(feature),
	].map(([key, message]) => ({ path: `${path}.${key}`, message }));
}

/** Arms that features name and the experiment does not have. */
export function liveArmProblems(
	features: readonly Placed<FeatureDocument>[],
	arms: readonly string[],
): Problem[] {
	return features.flatMap(({ index, value }) => {
		if (value.kind !== "number" || value.arm === undefined) return [];
		if (arms.includes(value.arm)) return [];
		const known = arms.slice(0, 20).join(", ");
		return [
			{
				path: `context.features[${index}].arm`,
				message: `There is no arm ${value.arm}. The arms are ${known}.`,
			},
		];
	});
}

/** The key that is wrong, and what about it. */
type Finding = readonly [key: (typeof LIVE_ONLY)[number], message: string];

function eventProblems({ event }: Pick<NumberDocument, "event">): Finding[] {
	if (event === undefined)
		return [
			[
				"event",
				"A live feature needs the event type it is made of, such as event: skip.",
			],
		];
	if (event !== RETRACT) return [];
	return [["event", "A retract takes an event back; it cannot be counted."]];
}

function windowProblems({ window }: Pick<NumberDocument, "window">): Finding[] {
	if (window === undefined)
		return [["window", "A live feature needs a window, such as window: 30s."]];
	const windowMs = parseDuration(window);
	if (windowMs === null) return [];
	if (windowMs >= SHORTEST_MS && windowMs <= LONGEST_MS) return [];
	return [["window", `A live window is 1s to 1h, not ${window}.`]];
}

function fieldProblems({
	aggregate = "count",
	of,
	by = "unit",
}: NumberDocument): Finding[] {
	const fields: readonly string[] = FIELDS_OF[aggregate];
	const read = of ?? fields[0];
	if (aggregate === "distinct" && read === by)
		return [
			[
				"of",
				`One ${by} has one ${by}, so this is never more than 1. Give another of (${fields.filter((field) => field !== by).join(", ")}), or another by.`,
			],
		];
	if (of === undefined || fields.includes(of)) return [];
	if (readsNumbers(aggregate))
		return propertyOf(of) === null
			? [
					[
						"of",
						`${aggregate} reads ${fields.join(", ")} or a number of the properties, such as properties.depth, not ${of}.`,
					],
				]
			: [];
	if (fields.length > 0)
		return [["of", `${aggregate} reads ${fields.join(" or ")}, not ${of}.`]];
	return [
		[
			"of",
			`${aggregate} reads only that an event came, so leave of out; sum, mean, last and distinct read a field.`,
		],
	];
}

function itemProblems(
	{ by, item }: NumberDocument,
	all: readonly Placed<FeatureDocument>[],
): Finding[] {
	if (by !== "item")
		return item === undefined
			? []
			: [["item", "item goes with by: item; leave it out, or say by: item."]];
	if (item === undefined)
		return [
			[
				"item",
				"With by: item, name the request feature whose value is the item, such as item: track.",
			],
		];
	const named = all.find(({ value }) => value.name === item)?.value;
	const isText =
		named?.kind === "category" ||
		(named?.kind === "attribute" && named.type !== "number");
	if (isText && named?.from === "request") return [];
	return [
		[
			"item",
			`${item} is no attribute or category from: request of this context. Declare it, such as { name: ${item}, from: request, kind: attribute }.`,
		],
	];
}

function armProblems({ by, arm }: NumberDocument): Finding[] {
	if (by === "arm" && arm === undefined)
		return [["arm", "With by: arm, name the arm, such as arm: focus."]];
	if (by !== "arm" && arm !== undefined)
		return [["arm", "arm goes with by: arm; leave it out, or say by: arm."]];
	return [];
}
