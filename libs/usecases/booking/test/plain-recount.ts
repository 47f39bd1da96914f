import {
	type Bookable,
	type Closings,
	isClosed,
	type Side,
	sideOf,
} from "#core/booking";
import { timeOfId } from "#core/log";
import { contributionOf, type Metric, metricsOf, ofUnit } from "#core/metrics";
import {
	addScore,
	blockOf,
	emptyScores,
	type ScoreSums,
	weightOf,
} from "#core/statistics";

const HOUR = 3_600_000;
const hour = ({ row }: Bookable) => Math.floor(timeOfId(row.id) / HOUR);
const worth = ({ row, definition, outcomes }: Bookable) =>
	contributionOf(definition.experiment, row, outcomes);

/** Hours in which the unit was seen to be there: its decision's, and those of what it did while that stood. */
function hoursOf(one: Bookable, { visitsSince }: Closings): number[] {
	const { row, definition, outcomes } = one;
	if (definition.experiment.sticky !== "unit" || row.id <= visitsSince)
		return [hour(one)];
	const own = outcomes.filter(({ unit }) => unit === row.unit);
	const isBack = ({ id, type }: (typeof own)[number]) =>
		type === "_visit" ||
		(type !== "retract" && own.every(({ retracts }) => retracts !== id));
	return [
		hour(one),
		...own
			.filter(isBack)
			.map(({ at }) => Math.max(hour(one), Math.floor(at / HOUR))),
	];
}

/** Whether anything but the epoch was booked at any time of an hour, after it began; nothing is known of that before `holdsSince`. */
function isHeldIn(
	at: number,
	epoch: string,
	{ turns, holdsSince }: Closings,
): boolean {
	const began = turns.findIndex((turn) => turn.epoch === epoch);
	if (began < 0 || at < holdsSince) return false;
	return turns
		.slice(began)
		.some(
			(turn, i, later) =>
				turn.epoch !== epoch &&
				turn.at < (at + 1) * HOUR &&
				(later[i + 1]?.at ?? Infinity) > at * HOUR,
		);
}

/** The sums of units, by epoch, group and slice, of decisions in the order of ids: everything from nothing, in the plainest way. */
export function plainSums(
	decisions: readonly Bookable[],
	closings: Closings,
	rowOf: (epoch: string, unit: string) => number,
	/** Of a run; those of its first definition where none came later. */
	metricsOfRun: (run: string) => readonly Metric[] | undefined = () =>
		undefined,
): Map<string, { units: bigint; moments: bigint[]; covariate: bigint[] }> {
	const sums = new Map<
		string,
		{ units: bigint; moments: bigint[]; covariate: bigint[] }
	>();
	const of = (name: string) => {
		const own = sums.get(name) ?? { units: 0n, moments: [], covariate: [] };
		sums.set(name, own);
		return own;
	};
	const plus = (list: bigint[], at: number, value: bigint) => {
		while (list.length <= at) list.push(0n);
		list[at] = (list[at] as bigint) + value;
	};
	for (const [key, own] of groupBy(decisions, ({ row, definition: d }) =>
		sideOf(row) === null
			? null
			: `${d.version} ${d.bookedRun} ${d.epoch} ${row.unit}`,
	)) {
		const epoch = key.split(" ").slice(0, 3).join(" ");
		const sides = [...groupBy(own, ({ row }) => sideOf(row))] as [
			Side,
			Bookable[],
		][];
		const firstHour = Math.max(
			...sides.map(([, rows]) => hour(rows[0] as Bookable)),
		);
		const closed = (hours: number) =>
			isClosed(
				closings,
				epoch,
				firstHour + hours,
				rowOf(epoch, (own[0] as Bookable).row.unit),
			);
		of(`${epoch} ${sideOf((own[0] as Bookable).row)} first`).units += 1n;
		if (sides.length === 2) of(`${epoch} policy both`).units += 1n;
		for (const [side, rows] of sides) {
			const first = rows[0] as Bookable;
			const { experiment } = first.definition;
			const x =
				experiment.covariate === undefined
					? undefined
					: first.row.context[experiment.covariate];
			const slices = new Map<string, Bookable[]>([
				["all", rows],
				[
					"week1",
					closed(168)
						? rows.filter((row) => hour(row) < hour(first) + 168)
						: [],
				],
				...[...groupBy(rows, ({ row }) => `arm:${row.arm}`)],
				...(experiment.segments ?? []).flatMap((name) => [
					...groupBy(rows, ({ row }) => `segment:${name}=${row.context[name]}`),
				]),
			]);
			const isTold = sides.every(
				([, [one]]) => (one as Bookable).row.id > closings.visitsSince,
			);
			const seen = rows.flatMap((one) => hoursOf(one, closings));
			const arms = new Set(
				(experiment.sticky === "unit" ? [first] : rows).map(
					({ row }) => row.arm,
				),
			);
			for (const [slice, part] of slices) {
				if (
					part.length === 0 ||
					slice.endsWith("=undefined") ||
					slice.endsWith("=radio")
				)
					continue;
				const sum = of(`${epoch} ${side} ${slice}`);
				sum.units += 1n;
				const run = epoch.slice(0, epoch.lastIndexOf(" "));
				const metrics = metricsOfRun(run) ?? metricsOf(experiment);
				metrics.forEach((metric, i) => {
					let n = 0;
					let c = 0;
					for (const one of part) {
						const place = metricsOf(one.definition.experiment).findIndex(
							({ name }) => name === metric.name,
						);
						if (place < 0) continue;
						const { columns } = worth(one);
						const isThere = metric.isLate && metric.per === "unit";
						n += isThere ? 1 : (columns[2 * place] as number);
						c += columns[2 * place + 1] as number;
					}
					if (metric.name === "session_length" && slice === "all")
						for (const [, session] of groupBy(part, ({ row }) => row.session)) {
							const from = Math.min(...session.map(({ row }) => row.decidedAt));
							const to = Math.max(...session.map((one) => worth(one).until));
							n += 1;
							c += Math.round((4096 * (to - from)) / 1_000);
						}
					const days = /^return_(\d+)d$/.exec(metric.name)?.[1];
					const isWhole =
						slice === "all" ||
						(arms.size === 1 && slice === `arm:${[...arms][0]}`);
					const end = 24 * Number(days);
					if (days !== undefined && isWhole && isTold && closed(end)) {
						n = 1;
						const isBack = (at: number) =>
							at >= hour(first) + 2 &&
							at < hour(first) + end &&
							!isHeldIn(at, epoch, closings);
						c = seen.some(isBack) ? 4096 : 0;
					}
					const [un, uc] = ofUnit(metric, n, c).map(BigInt) as [bigint, bigint];
					if (un === 0n && uc === 0n) return;
					[1n, un, uc, un * un, un * uc, uc * uc].forEach((value, k) => {
						plus(sum.moments, 6 * i + k, value);
					});
					if (typeof x === "number" && (slice === "all" || slice === "week1")) {
						const ux = BigInt(Math.round(4096 * x));
						[un, uc, ux * un, ux * uc].forEach((value, k) => {
							plus(sum.covariate, 3 + 4 * i + k, value);
						});
					}
				});
				if (typeof x === "number" && (slice === "all" || slice === "week1")) {
					const ux = BigInt(Math.round(4096 * x));
					[1n, ux, ux * ux].forEach((value, k) => {
						plus(sum.covariate, k, value);
					});
				}
			}
		}
	}
	return sums;
}

/** Decisions, shown, learned and reward by epoch, hour, group and arm. */
export function plainHours(
	decisions: readonly Bookable[],
): Map<string, number[]> {
	return new Map(
		[
			...groupBy(decisions, (one) => {
				const { version, bookedRun: run, epoch } = one.definition;
				const { group, arm, degraded } = one.row;
				const as =
					group !== "outside" && degraded.includes("guardrail")
						? "guardrail"
						: group;
				return `${version} ${run} ${epoch} ${hour(one)} ${as} ${arm}`;
			}),
		].map(([key, rows]) => [
			key,
			rows
				.map(worth)
				.reduce(
					(sum, { shown, exposed, reward }) => [
						(sum[0] as number) + 1,
						(sum[1] as number) + (shown ? 1 : 0),
						(sum[2] as number) + exposed,
						(sum[3] as number) + 4096 * reward,
					],
					[0, 0, 0, 0],
				),
		]),
	);
}

/** Decisions of both groups that were served degraded, by run and part; under the part "" all of them. */
export function plainDegraded(
	decisions: readonly Bookable[],
): Map<string, number[]> {
	const inside = decisions.filter(({ row }) => row.group !== "outside");
	const named = inside.flatMap(({ row, definition }) =>
		row.degraded.length === 0
			? []
			: ["", ...new Set(row.degraded)].map(
					(part) => `${definition.version} ${definition.bookedRun} ${part}`,
				),
	);
	return new Map(
		[...groupBy(named, (name) => name)].map(([name, all]) => [
			name,
			[all.length],
		]),
	);
}

/** AIPW scores by run and arm, of the decisions given, in their order. Weights: those that were kept, else from nothing. */
export function plainScores(
	decisions: readonly Bookable[],
	kept: ((one: Bookable) => ReadonlyMap<string, number>) | null,
): Map<string, ScoreSums> {
	const sums = new Map<string, ScoreSums>();
	const rows = new Map<string, number>();
	const block = new Map<
		string,
		{ number: number; weights: Map<string, number> }
	>();
	const inverse = new Map<string, { n: number; sum: number }>();
	for (const one of decisions) {
		const { row, definition } = one;
		const side = sideOf(row);
		const { exposed, reward } = worth(one);
		if (side === null || exposed === 0) continue;
		const run = `${definition.version} ${definition.bookedRun}`;
		const group = `${run} ${side}`;
		const number = blockOf(rows.get(group) ?? 0);
		rows.set(group, (rows.get(group) ?? 0) + 1);
		if (block.get(group)?.number !== number)
			block.set(group, {
				number,
				weights: new Map(
					[...inverse]
						.filter(([key]) => key.startsWith(`${group} `))
						.map(([key, { n, sum }]) => [key.slice(group.length + 1), n / sum]),
				),
			});
		row.eligible.forEach((index, i) => {
			const arm = definition.experiment.arms[index]?.key as string;
			const p = row.propensities[i] as number;
			const own = sums.get(`${run} ${arm}`) ?? emptyScores();
			sums.set(`${run} ${arm}`, own);
			addScore(own, {
				h: weightOf(
					(kept === null ? block.get(group)?.weights : kept(one))?.get(arm),
					p,
				),
				p,
				model: Math.min(1, Math.max(0, row.means[i] as number)),
				reward: arm === row.arm ? reward : null,
			});
			const before = inverse.get(`${group} ${arm}`) ?? { n: 0, sum: 0 };
			inverse.set(`${group} ${arm}`, {
				n: before.n + 1,
				sum: before.sum + 1 / p,
			});
		});
	}
	return sums;
}

function groupBy<Item, Key>(
	items: readonly Item[],
	keyOf: (item: Item) => Key | null,
): Map<Key, Item[]> {
	const groups = new Map<Key, Item[]>();
	for (const item of items) {
		const key = keyOf(item);
		if (key === null) continue;
		const group = groups.get(key);
		if (group) group.push(item);
		else groups.set(key, [item]);
	}
	return groups;
}
