import type { Definition, Feature } from "#core/experiment";
import {
	type FeatureHealth,
	isDeclared,
	judgeContext,
	LAUNCH_DECISIONS,
	valueReader,
} from "#core/health";
import { fail } from "#usecases/errors";
import type { ContextReads, Run } from "./context-ports.js";

const HOUR_MS = 3_600_000;
/** Of which the alarms and metrics speak. */
export const WINDOW_HOURS = 24;
/** As long as hours are kept. */
export const MOST_HOURS = 168;
/** Newest decisions looked through for levels that are not declared. */
const LOOKED_THROUGH = 1_000;
const MOST_UNSEEN = 5;

/** The health of an experiment's context in the last hours, against the launch of its current run. */
export interface ContextHealth extends Run {
	readonly state: Definition["state"];
	/** What the shares speak of: whole hours of decision time, and the one under way. */
	readonly window: {
		readonly hours: number;
		/** Milliseconds since the epoch. */
		readonly from: number;
		readonly to: number;
		/** Without those of the launch. */
		readonly decisions: number;
	};
	readonly launch: {
		readonly complete: boolean;
		readonly decisions: number;
		readonly needed: number;
		/** Milliseconds since the epoch; null while it is not complete. */
		readonly from: number | null;
		readonly to: number | null;
	};
	readonly features: readonly FeatureHealth[];
}

/** Levels of a feature that its definition does not list, of the newest decisions, most frequent first. */
export interface UnseenLevels {
	readonly feature: string;
	readonly levels: readonly {
		readonly level: string;
		readonly decisions: number;
	}[];
}

export interface ToldContextHealth extends ContextHealth {
	/** Revisions of the log that are not folded yet, and so not in the numbers. */
	readonly revisionsBehind: number;
	readonly unseen: readonly UnseenLevels[];
}

/** The health of a definition's run, from what was folded; `now` in milliseconds since the epoch. */
export async function healthOf(
	{ experiment: { key, context }, version, run, state }: Definition,
	reads: Pick<ContextReads, "launch" | "counts">,
	now: number,
	hours = WINDOW_HOURS,
): Promise<ContextHealth> {
	const of: Run = { experiment: key, version, run };
	const from = Math.floor(now / HOUR_MS) * HOUR_MS - (hours - 1) * HOUR_MS;
	const [stored, counts] = await Promise.all([
		reads.launch(of),
		reads.counts(of, from),
	]);
	const launch = stored?.launch ?? null;
	return {
		...of,
		state,
		window: { hours, from, to: now, decisions: counts?.decisions ?? 0 },
		launch: {
			complete: launch !== null,
			decisions: stored?.decisions ?? 0,
			needed: LAUNCH_DECISIONS,
			from: launch?.from ?? null,
			to: launch?.to ?? null,
		},
		features: judgeContext(context.features, launch, counts),
	};
}

export class ReadContextHealth {
	constructor(
		private readonly definitions: {
			find(key: string): Promise<Definition | null>;
		},
		private readonly reads: ContextReads,
		private readonly clock: { now(): number },
	) {}

	/** Throws unknown-experiment. */
	async execute(key: string, hours = WINDOW_HOURS): Promise<ToldContextHealth> {
		const definition = await this.definitions.find(key);
		if (definition === null)
			throw fail(
				"unknown-experiment",
				`There is no experiment "${key.slice(0, 64)}". GET /v1/experiments lists them.`,
			);
		const folded = await this.reads.folded(definition.experiment.key);
		const health = await healthOf(
			definition,
			this.reads,
			this.clock.now(),
			hours,
		);
		return {
			...health,
			revisionsBehind: folded.newest - folded.revision,
			unseen: await this.#unseen(
				definition.experiment.context.features,
				health,
			),
		};
	}

	/** Looked up in the log, so that no text of anybody's is kept apart from it. */
	async #unseen(
		features: readonly Feature[],
		health: ContextHealth,
	): Promise<readonly UnseenLevels[]> {
		const having = features.filter((_, i) => {
			const { unseen } = health.features[i] as FeatureHealth;
			return unseen !== null && unseen.share > 0;
		});
		if (having.length === 0) return [];
		const contexts = await this.reads.newestContexts(
			health.experiment,
			LOOKED_THROUGH,
		);
		return having.map((feature) => ({
			feature: feature.name,
			levels: unseenLevels(feature, contexts),
		}));
	}
}

function unseenLevels(
	feature: Feature,
	contexts: Awaited<ReturnType<ContextReads["newestContexts"]>>,
): UnseenLevels["levels"] {
	if (feature.kind !== "category") return [];
	const read = valueReader(feature);
	const counts = new Map<string, number>();
	for (const context of contexts) {
		const level = read(context);
		if (typeof level === "string" && !isDeclared(feature, level))
			counts.set(level, (counts.get(level) ?? 0) + 1);
	}
	return [...counts]
		.sort(([, a], [, b]) => b - a)
		.slice(0, MOST_UNSEEN)
		.map(([level, decisions]) => ({ level, decisions }));
}
