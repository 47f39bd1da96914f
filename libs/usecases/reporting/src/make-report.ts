import type { ContextSchema, Experiment } from "#core/experiment";
import type { ContextCounts } from "#core/health";
import { metricsOf } from "#core/metrics";
import {
	type Health,
	type Mark,
	makeReport,
	overRuns,
	type Report,
	stratumOf,
} from "#core/report";
import {
	type DefinitionAudit,
	type StoredDefinition,
	sentences,
} from "#usecases/defining";
import { fail } from "#usecases/errors";
import type { ReadGuardrails } from "#usecases/guarding";
import type { ContextReads } from "#usecases/watching";
import { guardrailSummaries } from "./guardrail-summaries.js";
import type { ReportedAnalyses, ReportedRun, ReportReads } from "./ports.js";

/** Of the newest so many definition rows there is a mark on the time axis. */
const MOST_MARKS = 500;

/** What an experiment's current analysis did and was worth: all runs of the current version since its plan was fixed. */
export class MakeReport {
	constructor(
		private readonly analyses: ReportedAnalyses,
		private readonly audit: Pick<DefinitionAudit, "page">,
		private readonly reads: ReportReads,
		private readonly contexts: Pick<ContextReads, "counts">,
		private readonly guards: Pick<ReadGuardrails, "execute">,
	) {}

	/** Throws unknown-experiment. */
	async execute(key: string): Promise<Report> {
		const found = await this.analyses.current(key);
		if (found === null)
			throw fail(
				"unknown-experiment",
				`There is no experiment "${key.slice(0, 64)}". GET /v1/experiments lists them.`,
			);
		const { definition, told, rows: analysis } = found;
		const { version } = told;
		const runs = [
			...new Set([...analysis, told].map(({ bookedRun }) => bookedRun)),
		].map((run) => ({ experiment: key, version, run }));
		const atStart = analysis[0] ?? told;
		const [counts, installation, contexts, guards, audit] = await Promise.all([
			this.reads.booked(runs),
			this.reads.installation(key, atStart.createdAt),
			this.contexts.counts({ experiment: key, version, run: told.run }, 0),
			this.guards.execute(key),
			this.audit.page(key, null, MOST_MARKS + 1),
		]);
		const booked = overRuns(
			counts,
			metricsOfBoth(atStart.experiment, told.experiment),
		);
		const open = await this.reads.open(
			runs.at(-1) as ReportedRun,
			booked.freshness,
		);
		return makeReport({
			definition: {
				...told,
				state: definition.state,
				winner: definition.winner,
			},
			atStart: atStart.experiment,
			servedBefore: found.servedBefore,
			isStickyByUnit: found.isStickyByUnit,
			hasOnePolicy: found.hasOnePolicy,
			controlOf: new Map(
				analysis.map(({ bookedRun, epoch, experiment }) => [
					stratumOf(bookedRun, epoch),
					experiment.traffic.control,
				]),
			),
			baselineOf: new Map(
				analysis.map(({ bookedRun, epoch, experiment }) => [
					stratumOf(bookedRun, epoch),
					experiment.traffic.baseline,
				]),
			),
			booked,
			open: open.arms,
			firstDecidedAt: booked.hours[0]?.hour ?? open.firstAt,
			lastDecidedAt: open.lastAt ?? booked.hours.at(-1)?.hour ?? null,
			guardrails: guardrailSummaries(guards.guardrails),
			marks: marksOf(audit.toReversed()),
			missing: missingOf(told.experiment.context, contexts),
			...installation,
		});
	}
}

/** What it was judged by at the start is told of even where an edit after the stop no longer defines it. */
function metricsOfBoth(atStart: Experiment, now: Experiment) {
	const first = metricsOf(atStart);
	const known = new Set(first.map(({ name }) => name));
	return [...first, ...metricsOf(now).filter(({ name }) => !known.has(name))];
}

/** @param rows ascending; with one more than there are marks at most, from which the first of them tells what changed */
function marksOf(rows: readonly StoredDefinition[]): readonly Mark[] {
	const marks = rows.map((row, i) => {
		const before = rows[i - 1];
		const changes = before === undefined ? [] : sentences(before, row);
		return {
			at: row.createdAt,
			action: row.action,
			actor: row.actor,
			sentence: [row.why, ...changes].filter((text) => text !== "").join("; "),
		};
	});
	return marks.slice(-MOST_MARKS);
}

/** Of the run's decisions that the watch over contexts has kept. */
function missingOf(
	{ features }: ContextSchema,
	counts: ContextCounts | null,
): Health["missing"] {
	if (counts === null || counts.decisions === 0) return null;
	return Object.fromEntries(
		features.flatMap(({ name }, i) => {
			const missing = counts.features[i]?.missing ?? [];
			const all = missing.reduce((sum, count) => sum + count, 0);
			return all === 0 ? [] : [[name, all / counts.decisions]];
		}),
	);
}
