import pg from "pg";
import { expect, test } from "vitest";
import { readCatalogue, readGenrePass } from "../../apps/demo/src/catalogue.js";
import { GenreTraffic } from "../../apps/demo/src/genre-traffic.js";
import { openOutcomeSender } from "../../apps/demo/src/outcome-sender.js";
import { replayTraffic } from "../../apps/demo/src/replay-traffic.js";
import { SegueApi } from "../../apps/demo/src/segue-api.js";
import { runtimeOf, segueCli, startSegue, waitFor } from "../support/segue.js";

/** For scale: uniform 0.125, best single arm 0.693, LinUCB that learns at once with a floor of 0.05: 0.718 and 0.733. */
const WHOLE_PASS = 0.7;
const LAST_FIFTH = 0.73;

test("one pass of fma-genre through HTTP and the stream, learning as it goes: the policy group's mean reward is at least 0.70, over the last 20 % at least 0.73", {
	timeout: 240_000,
}, async () => {
	const instance = await startSegue();
	try {
		const applied = await segueCli(
			["experiments", "apply", "--start", "experiments/genre-prompt.yaml"],
			{
				SEGUE_DATA: instance.folder,
			},
		);
		expect(applied.code, applied.stderr).toBe(0);
		const { databaseUrl, natsUrl } = await runtimeOf(instance.folder);
		const api = new SegueApi(instance.url);
		const sender = await openOutcomeSender(natsUrl, api);
		const replayed = await replayTraffic(
			new GenreTraffic(readGenrePass(readCatalogue())),
			{
				limit: Number.POSITIVE_INFINITY,
				until: Number.POSITIVE_INFINITY,
				api,
				sender,
				signal: new AbortController().signal,
				progress: () => {},
			},
		);
		await sender.close();
		expect(replayed.decisions).toBe(5_618);

		const client = new pg.Client({ connectionString: databaseUrl });
		await client.connect();
		const { rows } = await client.query<{ reward: number }>(
			`select s.reward from decisions d join decision_states s on s.id = d.id
			where d.assigned_group = 'policy' and s.exposed = 1 order by d.id`,
		);
		await client.end();
		const rewards = rows.map((row) => row.reward);
		const mean = (values: readonly number[]) =>
			values.reduce((sum, value) => sum + value, 0) / values.length;
		const last = mean(rewards.slice(-Math.floor(rewards.length * 0.2)));
		console.log(
			`genre-prompt: policy ${mean(rewards).toFixed(4)} over ${rewards.length}, last 20 % ${last.toFixed(4)}`,
		);
		expect(mean(rewards)).toBeGreaterThanOrEqual(WHOLE_PASS);
		expect(last).toBeGreaterThanOrEqual(LAST_FIFTH);

		await waitFor(
			async () => (await api.report("genre-prompt")).freshness.waiting === 0,
			90_000,
			() => "the last decisions' windows are not closed, or not booked",
		);
		const report = await api.report("genre-prompt");
		expect(report.policy.mean).toBeCloseTo(mean(rewards), 12);
		expect(report.lift.low).toBeGreaterThan(0.5);
	} finally {
		await instance.stop();
	}
});
