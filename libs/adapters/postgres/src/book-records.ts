import {
	type GroupEntry,
	pack,
	type RunScores,
	type ScoreBlock,
	type Side,
	type SideScores,
	type StoredRun,
	type StoredUnit,
} from "#core/booking";
import type { Metric } from "#core/metrics";

/** Rollups as their rows have them; see migrations/0017_booking.sql. */

export interface UnitRecord {
	id: number;
	version: number;
	run: number;
	epoch: number;
	unit: string;
	entry: string;
}

export const unitColumns = "u.id, u.version, u.run, u.epoch, u.unit, u.entry";

export const toStoredUnit = ({ entry, ...key }: UnitRecord): StoredUnit => {
	const stored: StoredEntry = JSON.parse(entry);
	return {
		...key,
		entry: {
			...(stored.policy && { policy: toGroup(stored.policy) }),
			...(stored.control && { control: toGroup(stored.control) }),
		},
	};
};

type StoredEntry = { readonly [side in Side]?: GroupEntry | OldGroup };

/** As rows were written before lists were packed; each is written packed with its unit's next decision. */
interface OldGroup extends Omit<GroupEntry, "hours" | "slices" | "sessions"> {
	readonly hours: { readonly [hour: string]: number };
	readonly slices: { readonly [slice: string]: readonly number[] };
	readonly sessions: readonly (readonly [string, number, number])[];
}

const isPacked = (group: GroupEntry | OldGroup): group is GroupEntry =>
	typeof group.hours === "string";

function toGroup(group: GroupEntry | OldGroup): GroupEntry {
	if (isPacked(group)) return group;
	const { hours, slices, sessions } = group;
	return {
		...group,
		hours: pack(Object.entries(hours).flat().map(Number)),
		slices: Object.entries(slices).flatMap(([slice, columns]) => [
			slice,
			pack(columns),
		]),
		sessions: sessions.flatMap(([session, from, to]) => [
			session,
			pack([from, to - from]),
		]),
	};
}

/** float64 comes back from JSON as it was. Maps are lists of pairs, since an arm may have any name. */
interface ScoresJson {
	readonly arms: readonly (readonly [string, ScoreSumsJson])[];
	readonly sides: { readonly [side in Side]: SideJson };
}
type ScoreSumsJson =
	RunScores["arms"] extends Map<string, infer Sums> ? Sums : never;
type ReciprocalsJson =
	SideScores["reciprocals"] extends Map<string, infer One> ? One : never;
interface SideJson {
	readonly rows: number;
	readonly reciprocals: readonly (readonly [string, ReciprocalsJson])[];
	readonly block:
		| (Omit<ScoreBlock, "weights"> & { readonly weights: WeightsJson })
		| null;
}
type WeightsJson = readonly (readonly [string, number])[];

export interface RunRecord {
	version: number;
	run: number;
	metrics: readonly Metric[];
	scores: ScoresJson;
}

export function scoresJson({ arms, sides }: RunScores): string {
	const side = ({ rows, reciprocals, block }: SideScores): SideJson => ({
		rows,
		reciprocals: [...reciprocals],
		block: block && { ...block, weights: [...block.weights] },
	});
	const json: ScoresJson = {
		arms: [...arms],
		sides: { policy: side(sides.policy), control: side(sides.control) },
	};
	return JSON.stringify(json);
}

export function toStoredRun({ scores, ...run }: RunRecord): StoredRun {
	const side = ({ rows, reciprocals, block }: SideJson): SideScores => ({
		rows,
		reciprocals: new Map(reciprocals),
		block: block && { ...block, weights: new Map(block.weights) },
	});
	const { policy, control } = scores.sides;
	return {
		...run,
		scores: {
			arms: new Map(scores.arms),
			sides: { policy: side(policy), control: side(control) },
		},
	};
}

export interface BlockRecord {
	side: Side;
	first_id: string;
	number: number;
	weights: WeightsJson;
}

export const toBlock = ({
	side,
	first_id,
	number,
	weights,
}: BlockRecord): ScoreBlock => ({
	side,
	number,
	firstId: first_id,
	weights: new Map(weights),
});

export const weightsJson = ({ weights }: ScoreBlock): string =>
	JSON.stringify([...weights]);
