import fc from "fast-check";
import { expect, test } from "vitest";
import {
	closingOf,
	type Definition,
	isClosing,
	type Judgement,
} from "#core/experiment";
import type { DecisionRow, Event } from "#core/log";
import { addInto } from "#core/policy";
import {
	aDecision,
	aDefinition,
	anEvent,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import { foldBatch, stateOf, VerdictTally } from "./index.js";

const MINUTE = 60_000;
const T = Date.UTC(2026, 0, 5, 12);

/** What a ledger holds of one decision: its row where it came, its outcomes, and the state written last. */
interface Held {
	row: DecisionRow | null;
	readonly outcomes: Map<string, Event>;
	exposed: 0 | 1;
	reward: number;
}

type Delivery = { readonly row: DecisionRow } | { readonly event: Event };

/** The ledger without a database: batches of deliveries in, sums and counts of verdicts out. */
class Model {
	readonly held = new Map<string, Held>();
	readonly sums = new Map<string, Float64Array>();
	readonly counts = new VerdictTally();

	constructor(private readonly definition: Definition) {}

	commit(batch: readonly Delivery[]): void {
		const before = new Map<string, Held & { earlier: Event[] }>();
		for (const delivery of batch) {
			const id =
				"row" in delivery
					? delivery.row.id
					: (delivery.event.decisionId as string);
			const held = this.held.get(id) ?? {
				row: null,
				outcomes: new Map(),
				exposed: 0,
				reward: 0,
			};
			this.held.set(id, held);
			if (!before.has(id))
				before.set(id, { ...held, earlier: [...held.outcomes.values()] });
			if ("row" in delivery) held.row ??= delivery.row;
			else if (!held.outcomes.has(delivery.event.id))
				held.outcomes.set(delivery.event.id, delivery.event);
		}
		this.fold(before);
	}

	private fold(before: Map<string, { row: unknown; earlier: Event[] }>): void {
		const locked = [...before].flatMap(([id, { row: known, earlier }]) => {
			const { row, outcomes, exposed, reward } = this.held.get(id) as Held;
			if (row === null) {
				const waiting = outcomes.size - earlier.length;
				this.counts.add("-", "event", "unknown decision (waiting)", waiting);
				return [];
			}
			return [
				{
					row,
					definition: this.definition,
					outcomes: [...outcomes.values()],
					earlier,
					fresh: known === null,
					exposed,
					reward,
				},
			];
		});
		const effects = foldBatch(locked);
		this.counts.addAll(effects.verdicts);
		for (const { id, exposed, reward } of effects.states)
			Object.assign(this.held.get(id) as Held, { exposed, reward });
		for (const { arm, bucket, delta } of effects.sums) {
			const key = `${arm} ${bucket}`;
			const sums = this.sums.get(key) ?? new Float64Array(delta.length);
			addInto(sums, delta);
			this.sums.set(key, sums);
		}
	}

	/** Sums by arm and bucket, without those that came back to nothing; −0 is 0. */
	told() {
		return [...this.sums]
			.filter(([, sums]) => sums.some((entry) => entry !== 0))
			.map(([key, sums]) => [key, [...sums].map((entry) => entry + 0)] as const)
			.sort(([a], [b]) => (a < b ? -1 : 1));
	}

	verdicts(): Map<string, Judgement> {
		const all = new Map<string, Judgement>();
		for (const [id, { row, outcomes }] of this.held)
			if (row !== null)
				for (const [event, judgement] of stateOf({
					row,
					definition: this.definition,
					outcomes: [...outcomes.values()],
				}).verdicts)
					all.set(`${id} ${event}`, judgement);
		return all;
	}

	counted() {
		return this.counts
			.changes()
			.map(({ experiment, verdict, change }) => [
				`${experiment} ${verdict}`,
				change,
			])
			.sort();
	}
}

const definitions = fc
	.record({
		learn: fc.constantFrom("impression", "decision", "windowClose"),
		combine: fc.constantFrom("sum", "max", "first", "last"),
		default: fc.constantFrom(0, 0.3, -1),
	})
	.map((reward) =>
		aDefinition(
			anExperiment({
				key: "fold",
				arms: [{ key: "a" }, { key: "b" }],
				context: { features: [{ name: "v", from: "request", kind: "number" }] },
				policy: { kind: "linucb", alpha: 0.5 },
				reward: {
					...reward,
					window: "30m",
					range: [-1, 2],
					outcomes: [
						{ type: "play", value: 0.3 },
						{ type: "skip", value: -0.7, within: "30s" },
						{ type: "rating" },
					],
				},
			}),
		),
	);

const anOutcome = fc.record({
	decision: fc.nat({ max: 5 }),
	id: fc.constantFrom("1", "2", "3", "4", "5", "6"),
	type: fc.constantFrom("play", "skip", "rating", "click", "retract", "closed"),
	minutes: fc.constantFrom(-6, -1, 0.4, 1, 30, 31),
	value: fc.option(fc.double({ min: -4, max: 4, noNaN: true }), {
		nil: undefined,
	}),
	retracts: fc.constantFrom("1", "2", "3", "4"),
	unit: fc.constantFrom("unit-1", "unit-1", "unit-1", "somebody"),
});

/** Decisions, most of which come, and a set of outcomes of them: one body under each id. */
const sets = fc
	.record({
		definition: definitions,
		contexts: fc.array(fc.double({ min: -9, max: 9, noNaN: true }), {
			minLength: 6,
			maxLength: 6,
		}),
		missing: fc.subarray([0, 1, 2, 3, 4, 5], { maxLength: 2 }),
		outcomes: fc.array(anOutcome, { maxLength: 25 }),
	})
	.map(({ definition, contexts, missing, outcomes }) => {
		const rows = contexts.map((v, i) =>
			aDecision(definition, {
				id: idAt(T + i, i),
				arm: i % 2 === 0 ? "a" : "b",
				group: i === 5 ? "outside" : "policy",
				context: { v },
			}),
		);
		const events = new Map<string, Event>();
		for (const { decision, type, minutes, ...rest } of outcomes) {
			const row = rows[decision] as DecisionRow;
			const event =
				type === "closed"
					? closingOf(row, row.decidedAt + 30 * MINUTE)
					: outcomeOf(row, type, row.decidedAt + minutes * MINUTE, rest);
			if (!isClosing(event) || !missing.includes(decision))
				events.set(`${row.id} ${event.id}`, event);
		}
		const deliveries: Delivery[] = [
			...rows.filter((_, i) => !missing.includes(i)).map((row) => ({ row })),
			...[...events.values()].map((event) => ({ event })),
		];
		return { definition, deliveries };
	});

function outcomeOf(
	row: DecisionRow,
	type: string,
	at: number,
	{
		id,
		value,
		retracts,
		unit,
	}: { id: string; value: number | undefined; retracts: string; unit: string },
): Event {
	return anEvent(row, type, {
		id,
		at,
		unit,
		...(value === undefined ? {} : { value }),
		...(type === "retract" ? { retracts } : {}),
	});
}

test("any order, any repetition and any batches give bit-equal sums, equal verdicts and equal counts of them", () => {
	fc.assert(
		fc.property(
			sets.chain(({ definition, deliveries }) =>
				fc.record({
					definition: fc.constant(definition),
					deliveries: fc.constant(deliveries),
					shuffled: fc
						.tuple(
							fc.shuffledSubarray(deliveries, {
								minLength: deliveries.length,
							}),
							fc.subarray(deliveries),
						)
						.chain(([all, again]) =>
							fc.shuffledSubarray([...all, ...again], {
								minLength: all.length + again.length,
							}),
						),
					sizes: fc.array(fc.integer({ min: 1, max: 7 }), {
						minLength: 1,
						maxLength: 30,
					}),
				}),
			),
			({ definition, deliveries, shuffled, sizes }) => {
				const once = new Model(definition);
				once.commit(deliveries);
				const other = new Model(definition);
				for (let i = 0, k = 0; i < shuffled.length; k++) {
					const size = sizes[k % sizes.length] as number;
					other.commit(shuffled.slice(i, i + size));
					i += size;
				}
				expect(other.told()).toEqual(once.told());
				expect(other.verdicts()).toEqual(once.verdicts());
				expect(other.counted()).toEqual(once.counted());
				const events = deliveries.filter(
					(delivery) => "event" in delivery && !isClosing(delivery.event),
				);
				const counted = once.counted() as [string, number][];
				expect(counted.reduce((sum, [, n]) => sum + n, 0)).toBe(events.length);
			},
		),
		{ numRuns: 1_000 },
	);
});
