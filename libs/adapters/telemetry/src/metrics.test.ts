import { describe, expect, it } from "vitest";
import { DEFAULT_ALARMS, type FeatureHealth } from "#core/health";
import { Metrics } from "./metrics.js";

const decision = {
	experiment: "morning-prompt",
	group: "policy",
	arm: "focus",
	degraded: ["stream"],
};

describe("Metrics", () => {
	it("shows every metric by name before anything happened", async () => {
		const metrics = new Metrics();
		metrics.watchSpool(() => ({ bytes: 0, entries: 0 }));
		metrics.watchBacklog(() => 0);
		const text = await metrics.render();
		for (const name of [
			"segue_decisions_total",
			"segue_decision_duration_seconds",
			"segue_degraded_total",
			"segue_events_total",
			"segue_stream_publish_seconds",
			"segue_refresh_seconds",
			"segue_posterior_revision",
			"segue_learner_batches_total",
			"segue_learner_batch_seconds",
			"segue_learner_items_total",
			"segue_learner_backlog_messages",
			"segue_learned_within_seconds",
			"segue_dead_letters_total",
			"segue_reward_sum_total",
			"segue_reward_count_total",
			"segue_spool_bytes",
			"segue_spool_entries",
			"segue_context_psi",
			"segue_context_missing_share",
			"segue_context_unseen_share",
			"segue_context_skew_share",
			"segue_context_skew_largest",
			"segue_context_alarm",
			"process_resident_memory_bytes",
		])
			expect(text).toContain(`# TYPE ${name} `);
	});

	it("goes on counting decisions from one scrape to the next", async () => {
		const metrics = new Metrics();
		const line =
			'segue_decisions_total{experiment="morning-prompt",group="policy",arm="focus"}';
		metrics.decided(decision, 0.0007);
		expect(await metrics.render()).toContain(`${line} 1\n`);
		expect(await metrics.render()).toContain(`${line} 1\n`);
		metrics.decided(decision, 0.0007);
		metrics.decided({ ...decision, group: "control" }, 0.0007);
		expect(await metrics.render()).toContain(`${line} 2\n`);
	});

	it("counts a decision by experiment, group and arm, and each thing that was missing", async () => {
		const metrics = new Metrics();
		metrics.decided(decision, 0.0007);
		const text = await metrics.render();
		expect(text).toContain(
			'segue_decisions_total{experiment="morning-prompt",group="policy",arm="focus"} 1',
		);
		expect(text).toContain(
			'segue_degraded_total{experiment="morning-prompt",reason="stream"} 1',
		);
		expect(text).toContain(
			'segue_decision_duration_seconds_bucket{le="0.0005"} 0',
		);
		expect(text).toContain(
			'segue_decision_duration_seconds_bucket{le="0.001"} 1',
		);
	});

	it("keeps reward counters growing where rewards are negative or taken back", async () => {
		const metrics = new Metrics();
		const arm = { experiment: "e", arm: "a" };
		metrics.learned({
			seconds: 0.1,
			decisions: 2,
			events: 3,
			duplicates: 1,
			refused: 0,
			moved: [
				{ ...arm, learned: 2, reward: 1.5 },
				{ ...arm, learned: -1, reward: -0.25 },
			],
			verdicts: [
				{ experiment: "-", kind: "event", verdict: "malformed", change: 2 },
				{ experiment: "e", kind: "event", verdict: "applied", change: -1 },
			],
		});
		const text = await metrics.render();
		const line = (name: string, direction: string) =>
			`${name}{experiment="e",arm="a",direction="${direction}"}`;
		expect(text).toContain(`${line("segue_reward_sum_total", "up")} 1.5`);
		expect(text).toContain(`${line("segue_reward_sum_total", "down")} 0.25`);
		expect(text).toContain(`${line("segue_reward_count_total", "up")} 2`);
		expect(text).toContain(`${line("segue_reward_count_total", "down")} 1`);
		expect(text).toContain('segue_learner_items_total{kind="duplicate"} 1');
		expect(text).toContain(
			'segue_verdicts_total{experiment="-",kind="event",verdict="malformed",direction="up"} 2',
		);
		expect(text).toContain(
			'segue_verdicts_total{experiment="e",kind="event",verdict="applied",direction="down"} 1',
		);
	});

	it("bounds the experiments and reasons it keeps a series for", async () => {
		const metrics = new Metrics();
		for (let i = 0; i < 1_000; i++) {
			metrics.decided({ ...decision, experiment: `e${i}`, degraded: [] }, 0);
			metrics.deadLetter(`reason ${i}`);
		}
		const text = await metrics.render();
		const series = (name: string) =>
			text.split("\n").filter((line) => line.startsWith(`${name}{`)).length;
		expect(series("segue_decisions_total")).toBe(201);
		expect(series("segue_dead_letters_total")).toBe(51);
		expect(text).toContain(
			'segue_decisions_total{experiment="other",group="policy",arm="focus"} 800',
		);
	});

	it("asks for spool and backlog at the scrape, and says nothing of a backlog that cannot be known", async () => {
		const metrics = new Metrics();
		let backlog: number | null = 7;
		metrics.watchSpool(() => ({ bytes: 1_024, entries: 3 }));
		metrics.watchBacklog(async () => backlog);
		expect(await metrics.render()).toMatch(
			/^segue_learner_backlog_messages 7$/m,
		);
		expect(await metrics.render()).toMatch(/^segue_spool_bytes 1024$/m);
		backlog = null;
		expect(await metrics.render()).not.toMatch(
			/^segue_learner_backlog_messages /m,
		);
	});

	it("does not mix the numbers of two instances in one process", async () => {
		const one = new Metrics();
		const other = new Metrics();
		one.decided(decision, 0.0007);
		expect(await other.render()).not.toContain('arm="focus"');
	});

	it("says how contexts do, in the place of what it said before, of a thousand features at most", async () => {
		const metrics = new Metrics();
		const feature = (i: number): FeatureHealth => ({
			feature: `f${i}`,
			kind: "category",
			from: "request",
			psi: i === 1 ? null : 0.5,
			coordinate: null,
			missing: { share: 0.25, launchShare: 0, reasons: { absent: 25 } },
			unseen: { share: 0.125, values: 75 },
			skew: { checked: 20, share: 0.05, largest: 0.5 },
			thresholds: DEFAULT_ALARMS,
			alarms: ["psi"],
			verdict: "",
		});
		const watched = (features: number) => ({
			experiment: "e",
			window: { decisions: 100 },
			features: Array.from({ length: features }, (_, i) => feature(i)),
		});
		metrics.contextsWatched([watched(1_200)]);
		const series = (text: string, name: string) =>
			text.split("\n").filter((line) => line.startsWith(`${name}{`)).length;
		const many = await metrics.render();
		expect(series(many, "segue_context_unseen_share")).toBe(1_000);
		metrics.contextsWatched([watched(2)]);
		const text = await metrics.render();
		expect(series(text, "segue_context_alarm")).toBe(8);
		expect(series(text, "segue_context_psi")).toBe(1);
		const of = 'experiment="e",feature="f0"';
		for (const line of [
			`segue_context_psi{${of}} 0.5`,
			`segue_context_missing_share{${of},reason="absent"} 0.25`,
			`segue_context_missing_share{${of},reason="no consent"} 0`,
			`segue_context_unseen_share{${of}} 0.125`,
			`segue_context_skew_share{${of}} 0.05`,
			`segue_context_skew_largest{${of}} 0.5`,
			`segue_context_alarm{${of},kind="psi"} 1`,
			`segue_context_alarm{${of},kind="missing"} 0`,
		])
			expect(text).toContain(line);
		metrics.contextsWatched([]);
		expect(await metrics.render()).not.toContain("segue_context_alarm{");
	});
});
