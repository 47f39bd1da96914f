import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Policy } from "#core/experiment";
import type { StoredDefinition } from "#usecases/defining";
import { ReadGuardrails } from "#usecases/guarding";
import { MakeReport, viewReport } from "#usecases/reporting";
import { anExperiment } from "../../../../test/support/builders.js";
import { LedgerOfTest } from "../../../../test/support/ledger.js";
import { MemoryAnalyses } from "../../../usecases/reporting/test/memory-analyses.js";
import {
	PostgresAnalysisReads,
	PostgresBookedReads,
	PostgresContextReads,
	PostgresGuardBooks,
	PostgresGuardTrips,
	PostgresReportReads,
} from "./index.js";

const experiment = anExperiment({
	key: "long",
	arms: [{ key: "a" }, { key: "b" }],
	policy: { kind: "uniform" },
	reward: { window: "10m", outcomes: [{ type: "play", value: 1 }] },
	traffic: { control: 0.5 },
	metrics: {
		primary: { metric: "click_rate", smallestEffect: 0.02, plannedUnits: 4000 },
	},
});

let ledger: LedgerOfTest;
beforeAll(async () => {
	ledger = await LedgerOfTest.open();
});
afterAll(() => ledger?.close());

const reads = () => new PostgresAnalysisReads(ledger.database, ledger.store);
const add = (key: string, fields: Partial<StoredDefinition>) =>
	ledger.store.change(key, (current) => ({
		...(current as StoredDefinition),
		...fields,
	})) as Promise<StoredDefinition>;

const fields = fc.record({
	version: fc.integer({ min: 1, max: 2 }),
	analysis: fc.integer({ min: 1, max: 2 }),
	bookedRun: fc.integer({ min: 1, max: 2 }),
	epoch: fc.integer({ min: 1, max: 2 }),
	state: fc.constantFrom("draft", "running", "paused", "stopped"),
	sticky: fc.constantFrom("unit" as const, "unit" as const, undefined),
	policy: fc.constantFrom<Policy>(
		experiment.policy,
		experiment.policy,
		{ ...experiment.policy, kind: "fixed", arm: "a" },
		{ ...experiment.policy, kind: "fixed", arm: "b" },
	),
});

test("of any history it finds the rows that a reading of all of them finds", async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fields, { minLength: 1, maxLength: 12 }),
			async (history) => {
				const first = await ledger.define(experiment);
				const { key } = first.experiment;
				const [created] = await ledger.store.byIds([first.id]);
				const rows = [created as StoredDefinition];
				for (const { sticky, policy, ...one } of history)
					rows.push(
						await add(key, {
							...one,
							experiment: { ...first.experiment, sticky, policy },
						}),
					);
				const found = await reads().current(key);
				const ids = (of: typeof found) =>
					of && {
						...{ definition: of.definition.id, told: of.told.id },
						rows: of.rows.map(({ id }) => id),
						servedBefore: of.servedBefore,
						isStickyByUnit: of.isStickyByUnit,
						hasOnePolicy: of.hasOnePolicy,
					};
				expect(ids(found)).toEqual(
					ids(await new MemoryAnalyses(rows).current(key)),
				);
			},
		),
		{ numRuns: 60 },
	);
	expect(await reads().current("nobody")).toBeNull();
}, 60_000);

test("a report goes by the row that began its analysis and by its runs, however many edits there were since", async () => {
	const { store, database } = ledger;
	const definition = await ledger.define(experiment);
	const { key } = definition.experiment;
	const reporting = new MakeReport(
		reads(),
		store,
		new PostgresReportReads(database, new PostgresBookedReads(database)),
		new PostgresContextReads(database),
		new ReadGuardrails(
			store,
			store,
			new PostgresGuardBooks(database),
			new PostgresGuardTrips(database),
		),
	);
	const { metrics: _, ...unplanned } = experiment;
	const edited = (i: number) => ({
		action: "edit" as const,
		why: `edit ${i}`,
		run: 2,
		bookedRun: 2,
		experiment: {
			// No longer what it was started for.
			...unplanned,
			key,
			name: `Name ${i}`,
		},
	});
	const asked: number[][] = [];
	const told = async () => {
		asked.push((await reads().current(key))?.rows.map(({ id }) => id) ?? []);
		const { timeline, ...report } = viewReport(await reporting.execute(key));
		return { report: { ...report, name: "" }, marks: timeline.marks };
	};
	await add(key, edited(0));
	const early = await told();
	expect(early.report.plan?.metric).toBe("click_rate");
	for (let i = 1; i <= 600; i++) await add(key, edited(i));
	const late = await told();
	expect(late.report).toEqual(early.report);
	expect(asked.map(([first]) => first)).toEqual([definition.id, definition.id]);
	expect(asked.map((ids) => ids.length)).toEqual([2, 2]);
	expect(late.marks).toHaveLength(500);
	expect(late.marks.at(-1)?.sentence).toContain("edit 600");
	expect(late.marks[0]?.sentence).toMatch(/^edit 101; .*Name 100.*Name 101/);
}, 60_000);
