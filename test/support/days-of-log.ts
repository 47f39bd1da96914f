import { randomUUID } from "node:crypto";
import {
	ensurePartitions,
	isRefusal,
	PostgresLedgerReads,
	PostgresLogReads,
	PostgresRetention,
} from "#adapters/postgres";
import type { Definition } from "#core/experiment";
import {
	type DecisionRow,
	encodeDecisions,
	encodeEvent,
	eventSubject,
	LOG_SUBJECT,
} from "#core/log";
import { Learn, type LearnableMessage, Verify } from "#usecases/learning";
import { RunRetention } from "#usecases/retaining";
import { aDecision, anEvent, anExperiment, idAt } from "./builders.js";
import { LedgerOfTest } from "./ledger.js";

const DAY_MS = 86_400_000;
/** Begins at, milliseconds. */
export const today = () => Math.floor(Date.now() / DAY_MS) * DAY_MS;

/** The UTC day of an instant, as retention names it. */
export const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

const experiment = anExperiment({
	key: "retention",
	arms: [{ key: "a" }, { key: "b" }],
	context: { features: [{ name: "v", from: "request", kind: "number" }] },
	policy: { kind: "linucb", alpha: 0.5, halfLife: "4h" },
	reward: {
		window: "30m",
		range: [-1, 2],
		outcomes: [{ type: "play", value: 0.3 }],
	},
});
/** Of a half-life of 4 h. */
export const BUCKET_MS = 600_000;

/** A log of some days: of each some decisions by two learners, with an outcome for most, a waiting one, and an event of no decision. */
export class DaysOfLog {
	/** When each began, milliseconds; the last is today. */
	readonly days: readonly number[];
	readonly messages = new Map<string, LearnableMessage[]>();
	readonly key = experiment.key;

	private constructor(
		readonly ledger: LedgerOfTest,
		readonly definition: Definition,
		days: number,
		private readonly decisions: number,
	) {
		this.days = Array.from(
			{ length: days },
			(_, i) => today() - (days - 1 - i) * DAY_MS,
		);
	}

	/** @param decisions of each day */
	static async learn(days = 5, decisions = 40): Promise<DaysOfLog> {
		const ledger = await LedgerOfTest.open();
		const { database } = ledger;
		await database.query(
			"update installation set horizon = segue_id_floor(now() - $1::int * interval '1 day')",
			[days + 25],
		);
		await ensurePartitions(
			(text, values) => database.query(text, values),
			Date.now(),
		);
		const log = new DaysOfLog(
			ledger,
			await ledger.define(experiment, experiment.key),
			days,
			decisions,
		);
		const learners = [ledger.learner(), ledger.learner()];
		for (const [k, day] of log.days.entries()) {
			const messages = log.#ofDay(day, k);
			log.messages.set(dayOf(day), messages);
			await Promise.all(
				learners.map((own, half) =>
					new Learn(own, isRefusal).execute(
						// Pairs of neighbours, so that each learner moves sums, whoever is first.
						messages.filter((_, i) => (i >> 1) % 2 === half),
					),
				),
			);
		}
		await Promise.all(learners.map((own) => own.close()));
		return log;
	}

	close(): Promise<void> {
		return this.ledger.close();
	}

	/** How many events were delivered, and how many of them wait or have waited in vain. */
	async events() {
		const { database } = this.ledger;
		const events = await new PostgresLedgerReads(database).counts("-");
		const [sum] = await database.query<{ all: number }>(
			"select sum(v.count)::bigint as all from verdict_counts v",
		);
		const of = (verdict: string) =>
			events.find((entry) => entry.verdict === verdict)?.count ?? 0;
		return {
			all: sum?.all,
			waiting: of("unknown decision (waiting)"),
			expired: of("unknown decision (expired)"),
		};
	}

	/** An hour's worth in six buckets, so that learners' shards share some. */
	#ofDay(day: number, k: number): LearnableMessage[] {
		const boot = randomUUID();
		return Array.from({ length: this.decisions }, (_, i) => {
			const at = day + 1_000 + i * 90_000;
			const row = aDecision(this.definition, {
				id: idAt(at, i),
				arm: i % 3 === 0 ? "a" : "b",
				unit: `unit-${i % 7}`,
				context: { v: (i % 11) / 4 + k },
			});
			return [
				this.ledger.message(
					LOG_SUBJECT,
					encodeDecisions([row], { boot, sequence: i + 1 }),
					at,
				),
				...(i % 5 === 0 ? [] : [this.#event(row, at, {})]),
				...(i === 0
					? [
							this.#event({ ...row, id: idAt(at, 900) }, at, {}),
							this.#event(row, at, { decisionId: undefined, id: "signal" }),
						]
					: []),
			];
		}).flat();
	}

	#event(row: DecisionRow, at: number, fields: object): LearnableMessage {
		const event = anEvent(row, "play", { at, ...fields });
		return this.ledger.message(eventSubject("play"), encodeEvent(event), at);
	}

	sums = () => this.ledger.sums(this.definition);

	/** Of all experiments. */
	verify = () => {
		const { database, posteriors, store } = this.ledger;
		return new Verify(
			new PostgresLogReads(database, posteriors, store),
		).execute();
	};

	/** @param database another way to the same database */
	retention(patienceMs?: number, database = this.ledger.database) {
		const announced: [string, number][] = [];
		const log = new PostgresRetention(database, this.ledger.store, patienceMs);
		const run = new RunRetention(log, (...said) => announced.push(said));
		return { log, run, announced };
	}

	/** Of n of one arm in a bucket; the second time it is as before. */
	async flipByte(bucket: number): Promise<void> {
		await this.ledger.database.query(
			`update sums s set data = set_byte(s.data, 6, get_byte(s.data, 6) # 1)
			where s.arm = 'a' and s.chunk = 0 and s.bucket = $1
			and s.shard = (select max(m.shard) from sums m where m.arm = 'a' and m.bucket = $1)`,
			[bucket],
		);
	}
}
