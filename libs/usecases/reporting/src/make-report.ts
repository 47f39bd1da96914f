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
	type DefinitionStore,
	type StoredDefinition,
	sentences,
} from "#usecases/defining";
import { fail } from "#usecases/errors";
import type { ReadGuardrails } from "#usecases/guarding";
import type { ContextReads } from "#usecases/watching";
import { guardrailSummaries } from "./guardrail-summaries.js";
import type { ReportedRun, ReportReads } from "./ports.js";

/** Definition rows that are looked back on: what is older has no mark. */
const MOST_ROWS = 500;

/** What an experiment's current analysis did and was worth: all runs of the current version since its plan was fixed. */
export class MakeReport {
	constructor(
		private readonly definitions: Pick<DefinitionStore, "find">,
		private readonly audit: Pick<DefinitionAudit, "page">,
		private readonly reads: ReportReads,
		private readonly contexts: Pick<ContextReads, "counts">,
		private readonly guards: Pick<ReadGuardrails, "execute">,
	) {}

	/** Throws unknown-experiment. */
	async execute(key: string): Promise<Report> {
		const definition = await this.definitions.find(key);
		if (definition === null)
			throw fail(
				"unknown-experiment",
				`There is no experiment "${key.slice(0, 64)}". GET /v1/experiments lists them.`,
			);
		const rows = (await this.audit.page(key, null, MOST_ROWS)).toReversed();
		const told = lastThatRan(rows, definition);
		const analysis = rows.filter(
			({ version, analysis, state }) =>
				version === told.version &&
				analysis === told.analysis &&
				state !== "draft",
		);
		const { version } = told;
		const runs = [
			...new Set([...analysis, told].map(({ bookedRun }) => bookedRun)),
		].map((run) => ({ experiment: key, version, run }));
		const atStart = analysis[0] ?? told;
		const [counts, installation, contexts, guards] = await Promise.all([
			this.reads.booked(runs),
			this.reads.installation(key, atStart.createdAt),
			this.contexts.counts({ experiment: key, version, run: told.run }, 0),
			this.guards.execute(key),
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
			servedBefore: servedBefore(rows, atStart),
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
			marks: marksOf(rows),
			missing: missingOf(told.experiment.context, contexts),
			...installation,
		});
	}
}

/** The definition, or where it has not run yet the last that did: an edit after the stop leaves the finished analysis to be read. */
function lastThatRan(
	rows: readonly StoredDefinition[],
	definition: StoredDefinition,
): StoredDefinition {
	const ran = rows.filter(({ state }) => state === "running");
	const isIts = (row: StoredDefinition) =>
		row.version === definition.version && row.analysis === definition.analysis;
	return ran.some(isIts) ? definition : (ran.at(-1) ?? definition);
}

/** Of rows that may go further back than is looked nobody can tell. */
function servedBefore(
	rows: readonly StoredDefinition[],
	atStart: StoredDefinition,
): boolean {
	return (
		rows.length >= MOST_ROWS ||
		rows.some(({ id, state }) => state === "running" && id < atStart.id)
	);
}

/** What it was judged by at the start is told of even where an edit after the stop no longer defines it. */
function metricsOfBoth(atStart: Experiment, now: Experiment) {
	const first = metricsOf(atStart);
	const known = new Set(first.map(({ name }) => name));
	return [...first, ...metricsOf(now).filter(({ name }) => !known.has(name))];
}

function marksOf(rows: readonly StoredDefinition[]): readonly Mark[] {
	return rows.map((row, i) => {
		const before = rows[i - 1];
		const changes = before === undefined ? [] : sentences(before, row);
		return {
			at: row.createdAt,
			action: row.action,
			actor: row.actor,
			sentence: [row.why, ...changes].filter((text) => text !== "").join("; "),
		};
	});
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
