// Longer than 300 lines since every metric of Segue is declared here, once.
import {
	Counter,
	collectDefaultMetrics,
	Gauge,
	Histogram,
	Registry,
} from "prom-client";
import { ALARM_KINDS, type FeatureHealth, MISSING_REASONS } from "#core/health";
import { BoundedLabel } from "./bounded-label.js";
import type { ArmMovement, LearnedBatch } from "./learned-batch.js";
import { Tally } from "./tally.js";

const MOST_EXPERIMENTS = 200;
const MOST_ARMS = 2_000;
const MOST_REASONS = 50;
/** Of all experiments: beyond them features have no series, though the API tells of them. */
const MOST_FEATURES = 1_000;

/** The health of a running experiment's context, in a window of time. */
interface WatchedContext {
	readonly experiment: string;
	readonly window: { readonly decisions: number };
	readonly features: readonly FeatureHealth[];
}

/** How booking of a running experiment stands. */
interface WatchedBooking {
	readonly experiment: string;
	readonly lagSeconds: number;
	readonly waiting: number;
	readonly unbooked: number;
}

/** All metrics of Segue, each declared once; label values are bounded. */
export class Metrics {
	readonly registry = new Registry();
	readonly #experiments = new BoundedLabel(MOST_EXPERIMENTS);
	readonly #arms = new BoundedLabel(MOST_ARMS);
	readonly #degradations = new BoundedLabel(MOST_REASONS);
	readonly #refusals = new BoundedLabel(MOST_REASONS);

	readonly #decisions = new Tally((rawExperiment, group, rawArm) => {
		const experiment = this.#experiments.of(rawExperiment);
		return { experiment, group, arm: this.#arms.of(rawArm, experiment) };
	});
	readonly #decisionSeconds = this.#histogram(
		"segue_decision_duration_seconds",
		"Time to answer a decision.",
		[0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25],
	);
	readonly #degraded = this.#counter(
		"segue_degraded_total",
		"Decisions answered with a part missing, by the part.",
		["experiment", "reason"],
	);
	readonly #events = this.#counter(
		"segue_events_total",
		"Events at the door: accepted or rejected.",
		["outcome"],
	);
	readonly #publishSeconds = this.#histogram(
		"segue_stream_publish_seconds",
		"Time until the stream had a message.",
		[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5],
	);
	readonly #refreshSeconds = this.#histogram(
		"segue_refresh_seconds",
		"Time to read and factorise an experiment's posterior.",
		[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5],
	);
	readonly #revision = this.#gauge(
		"segue_posterior_revision",
		"Posterior revision that this process decides with.",
		["experiment"],
	);
	readonly #batches = this.#counter(
		"segue_learner_batches_total",
		"Batches learned.",
		[],
	);
	readonly #batchSeconds = this.#histogram(
		"segue_learner_batch_seconds",
		"Time to learn a batch, from the pull to the acknowledgement.",
		[0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
	);
	readonly #items = this.#counter(
		"segue_learner_items_total",
		"Items of the stream by what they were: decision, event, duplicate or refused.",
		["kind"],
	);
	readonly #learnedWithin = this.#histogram(
		"segue_learned_within_seconds",
		"From an outcome's arrival in the stream to the commit that learned it.",
		[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
	);
	readonly #deadLetters = this.#counter(
		"segue_dead_letters_total",
		"Items of the stream that could not be understood.",
		["reason"],
	);
	readonly #packsMissing = this.#gauge(
		"segue_published_missing",
		"Packs that deciders published, that no learner has seen and that are long overdue.",
		[],
	);
	readonly #packsNoticed = this.#counter(
		"segue_published_gaps_total",
		"Packs noticed to be missing from what deciders published, and those of them that arrived after all.",
		["outcome"],
	);
	readonly #streamChanges = this.#counter(
		"segue_stream_identity_changed_total",
		"Times the broker came back with another stream, or an older copy of it.",
		["kind"],
	);
	readonly #streamCuts = this.#counter(
		"segue_stream_cut_early_total",
		"Times learners dropped what live windows may still look back at, since the stream was nearly full.",
		[],
	);
	readonly #rewardSum = this.#counter(
		"segue_reward_sum_total",
		"Reward learned; what was taken back or is negative counts down.",
		["experiment", "arm", "direction"],
	);
	readonly #rewardCount = this.#counter(
		"segue_reward_count_total",
		"Decisions learned; those taken back count down.",
		["experiment", "arm", "direction"],
	);
	readonly #verdicts = this.#counter(
		"segue_verdicts_total",
		"Deliveries by kind (decision, event) and verdict; up less down is how many have it. Experiment `-`: of none, or not known.",
		["experiment", "kind", "verdict", "direction"],
	);

	readonly #contextPsi = this.#gauge(
		"segue_context_psi",
		"Population stability index of a feature in the last 24 hours against launch; none while it cannot be told.",
		["experiment", "feature"],
	);
	readonly #contextMissing = this.#gauge(
		"segue_context_missing_share",
		"Share of the last 24 hours' decisions without a value of the feature, by reason.",
		["experiment", "feature", "reason"],
	);
	readonly #contextUnseen = this.#gauge(
		"segue_context_unseen_share",
		"Share of a category's values in the last 24 hours that are no declared level.",
		["experiment", "feature"],
	);
	readonly #contextSkew = this.#gauge(
		"segue_context_skew_share",
		"Share of the decisions checked in the last 24 hours whose x, made again from the log, differs. Should be 0.",
		["experiment", "feature"],
	);
	readonly #contextSkewMost = this.#gauge(
		"segue_context_skew_largest",
		"Largest difference of a coordinate of x made again from the log in the last 24 hours. Should be 0.",
		["experiment", "feature"],
	);
	readonly #contextAlarm = this.#gauge(
		"segue_context_alarm",
		"1 where a feature is beyond its alarm threshold: psi, missing, unseen or skew.",
		["experiment", "feature", "kind"],
	);

	readonly #guardrailTrips = this.#counter(
		"segue_guardrail_trips_total",
		"Guardrails that acted: alert, pause or control.",
		["experiment", "action"],
	);
	readonly #guardrailLooks = this.#counter(
		"segue_guardrail_looks_total",
		"Looks at all guardrails of a running experiment: current, behind (not counted as far as the log goes) or failed.",
		["outcome"],
	);
	readonly #bookingLag = this.#gauge(
		"segue_booking_lag_seconds",
		"For how long decisions have waited to be booked since all that counts for them should have been learned.",
		["experiment"],
	);
	readonly #bookingWaiting = this.#gauge(
		"segue_booking_waiting_decisions",
		"Decisions of the log that are not booked: mostly since their windows are open.",
		["experiment"],
	);
	readonly #bookingUnbooked = this.#gauge(
		"segue_booking_unbooked_decisions",
		"Decisions that came or changed after those around them were booked: counted, but in no score of an arm.",
		["experiment"],
	);

	readonly #unreadableDefinitions = this.#counter(
		"segue_unreadable_definitions_total",
		"Definitions in the database that this process could not read: it leaves those experiments out.",
		["experiment"],
	);

	readonly #bookingFailures = this.#counter(
		"segue_booking_failures_total",
		"Times that decisions of an experiment could not be booked; it is tried again every five seconds.",
		["experiment"],
	);

	readonly #webhooks = this.#counter(
		"segue_webhooks_total",
		"Attempts to deliver a message to the webhook: delivered, postponed (failed, and due again) or given up.",
		["outcome"],
	);

	constructor() {
		collectDefaultMetrics({ register: this.registry });
		const decisions = this.#decisions;
		this.#counter(
			"segue_decisions_total",
			"Decisions answered.",
			["experiment", "group", "arm"],
			(counter) => decisions.drain((labels, n) => counter.inc(labels, n)),
		);
	}

	/** The text of `/metrics`. */
	render(): Promise<string> {
		return this.registry.metrics();
	}

	get contentType(): string {
		return this.registry.contentType;
	}

	decided(
		decision: {
			readonly experiment: string;
			readonly group: string;
			readonly arm: string;
			readonly degraded: readonly string[];
		},
		seconds: number,
	): void {
		this.#decisions.add(decision.experiment, decision.group, decision.arm);
		this.#decisionSeconds.observe(seconds);
		for (const reason of decision.degraded)
			this.#degraded.inc({
				experiment: this.#experiments.of(decision.experiment),
				reason: this.#degradations.of(reason),
			});
	}

	eventsAnswered(accepted: number, rejected: number): void {
		this.#events.inc({ outcome: "accepted" }, accepted);
		this.#events.inc({ outcome: "rejected" }, rejected);
	}

	published(seconds: number): void {
		this.#publishSeconds.observe(seconds);
	}

	/** `revision` is what the process decides with from now on. */
	refreshed(experiment: string, revision: number, seconds: number): void {
		this.#refreshSeconds.observe(seconds);
		this.#revision.set(
			{ experiment: this.#experiments.of(experiment) },
			revision,
		);
	}

	learned(batch: LearnedBatch): void {
		this.#batches.inc();
		this.#batchSeconds.observe(batch.seconds);
		this.#items.inc({ kind: "decision" }, batch.decisions);
		this.#items.inc({ kind: "event" }, batch.events);
		this.#items.inc({ kind: "duplicate" }, batch.duplicates);
		this.#items.inc({ kind: "refused" }, batch.refused);
		for (const movement of batch.moved) this.#move(movement);
		for (const { experiment, kind, verdict, change } of batch.verdicts)
			this.#verdicts.inc(
				{
					experiment: this.#experiments.of(experiment),
					kind,
					verdict,
					direction: change > 0 ? "up" : "down",
				},
				Math.abs(change),
			);
	}

	/** Once per outcome: from its arrival in the stream to the commit. */
	learnedWithin(seconds: number): void {
		this.#learnedWithin.observe(seconds);
	}

	/** `reason` names the kind of trouble in a few words, not the item. */
	deadLetter(reason: string): void {
		this.#deadLetters.inc({ reason: this.#refusals.of(reason) });
	}

	/** Asked at each scrape. */
	watchSpool(
		read: () => { readonly bytes: number; readonly entries: number },
	): void {
		this.#gauge(
			"segue_spool_bytes",
			"Bytes that wait on disk.",
			[],
			() => read().bytes,
		);
		this.#gauge(
			"segue_spool_entries",
			"Entries that wait on disk.",
			[],
			() => read().entries,
		);
	}

	/** Of all deciders, now. */
	packsMissing(packs: number): void {
		this.#packsMissing.set(packs);
	}

	packsNoticed(outcome: "missing" | "recovered", packs: number): void {
		this.#packsNoticed.inc({ outcome }, packs);
	}

	streamChanged(kind: string): void {
		this.#streamChanges.inc({ kind });
	}

	streamCutEarly(): void {
		this.#streamCuts.inc();
	}

	/** Asked at each scrape: dead letters that nobody published again; null where it cannot be known now. */
	watchDeadLetters(read: () => Promise<number | null>): void {
		this.#gauge(
			"segue_dead_letters_waiting",
			"Dead letters that were not published again, counted up to 100,000.",
			[],
			read,
		);
	}

	/** Asked at each scrape: messages of the stream not yet learned; null where it cannot be known now. */
	watchBacklog(read: () => number | null | Promise<number | null>): void {
		this.#gauge(
			"segue_learner_backlog_messages",
			"Messages of the stream not yet learned.",
			[],
			read,
		);
	}

	guardrailTripped(experiment: string, action: string): void {
		this.#guardrailTrips.inc({
			experiment: this.#experiments.of(experiment),
			action,
		});
	}

	guardrailsLookedAt(
		outcome: "current" | "behind" | "failed",
		experiments: number,
	): void {
		this.#guardrailLooks.inc({ outcome }, experiments);
	}

	webhookTried(outcome: "delivered" | "postponed" | "given up"): void {
		this.#webhooks.inc({ outcome });
	}

	/** Asked at each scrape: messages not delivered yet, but for those given up; null where it cannot be known now. */
	watchWebhooks(read: () => Promise<number | null>): void {
		this.#gauge(
			"segue_webhooks_waiting",
			"Messages that wait to be delivered to the webhook.",
			[],
			read,
		);
	}

	definitionUnreadable(experiment: string): void {
		this.#unreadableDefinitions.inc({
			experiment: this.#experiments.of(experiment),
		});
	}

	bookingFailed(experiment: string): void {
		this.#bookingFailures.inc({ experiment });
	}

	/** Of all running experiments, in the place of what was said before. */
	booked(bookings: readonly WatchedBooking[]): void {
		const gauges = [
			this.#bookingLag,
			this.#bookingWaiting,
			this.#bookingUnbooked,
		];
		for (const gauge of gauges) gauge.reset();
		for (const booking of bookings.slice(0, MOST_EXPERIMENTS)) {
			const { experiment, lagSeconds, waiting, unbooked } = booking;
			this.#bookingLag.set({ experiment }, lagSeconds);
			this.#bookingWaiting.set({ experiment }, waiting);
			this.#bookingUnbooked.set({ experiment }, unbooked);
		}
	}

	/** Of all running experiments, in the place of what was said before. */
	contextsWatched(contexts: readonly WatchedContext[]): void {
		for (const gauge of [
			this.#contextPsi,
			this.#contextMissing,
			this.#contextUnseen,
			this.#contextSkew,
			this.#contextSkewMost,
			this.#contextAlarm,
		])
			gauge.reset();
		const all = contexts.flatMap(({ experiment, features, window }) =>
			features.map((health) => ({ experiment, health, ...window })),
		);
		for (const { experiment, health, decisions } of all.slice(0, MOST_FEATURES))
			this.#feature(experiment, health, decisions);
	}

	#feature(experiment: string, health: FeatureHealth, decisions: number): void {
		const { psi, missing, unseen, skew, alarms } = health;
		const labels = { experiment, feature: health.feature };
		if (psi !== null) this.#contextPsi.set(labels, psi);
		if (decisions > 0)
			for (const reason of MISSING_REASONS)
				this.#contextMissing.set(
					{ ...labels, reason },
					(missing.reasons[reason] ?? 0) / decisions,
				);
		if (unseen !== null) this.#contextUnseen.set(labels, unseen.share);
		if (skew.share !== null) {
			this.#contextSkew.set(labels, skew.share);
			this.#contextSkewMost.set(labels, skew.largest);
		}
		for (const kind of ALARM_KINDS)
			this.#contextAlarm.set(
				{ ...labels, kind },
				alarms.includes(kind) ? 1 : 0,
			);
	}

	/** Two directions, since a counter may only grow and rewards may be negative or taken back. */
	#move(movement: ArmMovement): void {
		const experiment = this.#experiments.of(movement.experiment);
		const arm = this.#arms.of(movement.arm, experiment);
		for (const [counter, change] of [
			[this.#rewardSum, movement.reward],
			[this.#rewardCount, movement.learned],
		] as const) {
			const labels = { experiment, arm };
			counter.inc({ ...labels, direction: "up" }, Math.max(change, 0));
			counter.inc({ ...labels, direction: "down" }, Math.max(-change, 0));
		}
	}

	#counter<T extends string>(
		name: string,
		help: string,
		labelNames: readonly T[],
		collect?: (counter: Counter<T>) => void,
	): Counter<T> {
		return new Counter({
			name,
			help,
			labelNames: [...labelNames],
			registers: [this.registry],
			...(collect && {
				collect() {
					collect(this);
				},
			}),
		});
	}

	#histogram(
		name: string,
		help: string,
		buckets: readonly number[],
	): Histogram {
		return new Histogram({
			name,
			help,
			buckets: [...buckets],
			registers: [this.registry],
		});
	}

	#gauge<T extends string>(
		name: string,
		help: string,
		labelNames: readonly T[],
		read?: () => number | null | Promise<number | null>,
	): Gauge<T> {
		return new Gauge({
			name,
			help,
			labelNames: [...labelNames],
			registers: [this.registry],
			...(read && {
				async collect() {
					const value = await read();
					if (value === null) this.remove();
					else this.set(value);
				},
			}),
		});
	}
}
