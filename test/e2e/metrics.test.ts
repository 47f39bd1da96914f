import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { metricsQueried } from "../../dashboards/metrics-queried.js";
import dashboard from "../../dashboards/segue.json" with { type: "json" };
import {
	runExperiment,
	sampleEvent,
	sampleExperiment,
	sampleRequest,
	send,
} from "../support/client.js";
import {
	freePort,
	type Instance,
	startSegue,
	waitFor,
} from "../support/segue.js";

const DECISIONS = 30;

let instance: Instance;

beforeAll(async () => {
	instance = await startSegue();
	await runExperiment(instance.url, sampleExperiment);
	for (let i = 0; i < DECISIONS; i++) {
		const request = sampleRequest(i);
		const answer = await send(instance.url, "POST", "/v1/decisions", request);
		expect(answer.status, JSON.stringify(answer.body)).toBe(200);
		const event = sampleEvent(i, request.unit, answer.body.decisionId);
		await send(instance.url, "POST", "/v1/events", { events: [event] });
	}
	for (const kind of ["decision", "event"])
		await waitFor(
			async () =>
				(await sum("segue_learner_items_total", `kind="${kind}"`)) >= DECISIONS,
			20_000,
			() => `not every ${kind} was learned`,
		);
	// Said every five seconds, whatever is booked.
	await waitFor(
		async () => (await sum("segue_booking_waiting_decisions")) === DECISIONS,
		20_000,
		() => "nobody says how booking stands",
	);
});
afterAll(() => instance?.stop());

async function scrape(): Promise<string> {
	return (await fetch(`${instance.url}/metrics`)).text();
}

/** Σ over the series of a metric whose labels hold a text. */
async function sum(metric: string, labels = ""): Promise<number> {
	const lines = (await scrape())
		.split("\n")
		.filter((line) => new RegExp(`^${metric}[{ ]`).test(line))
		.filter((line) => line.includes(labels));
	return lines.reduce(
		(total, line) => total + Number(line.split(" ").at(-1)),
		0,
	);
}

it("/metrics has every metric that the dashboard queries, with a sample wherever something happened", async () => {
	const text = await scrape();
	const queried = metricsQueried(dashboard);
	expect(queried.length).toBeGreaterThan(9);
	/** Nothing was degraded, dead-lettered, exchanged, guarded or told here, and no context launched, so these are declared without a sample. */
	const mayBeSilent = [
		...queried.filter((name) =>
			/^segue_(context|guardrail|webhooks)_/.test(name),
		),
		"segue_booking_failures_total",
		"segue_unreadable_definitions_total",
		"segue_degraded_total",
		"segue_dead_letters_total",
		"segue_stream_identity_changed_total",
	];
	for (const name of queried) {
		const declared = name.replace(/_(bucket|sum|count)$/, "");
		expect(text, `${name} is queried, but /metrics has none such`).toMatch(
			new RegExp(`^# TYPE (${name}|${declared}) `, "m"),
		);
		if (!mayBeSilent.includes(name))
			expect(text, `${name} has no sample`).toMatch(
				new RegExp(`^${name}[{ ]`, "m"),
			);
	}
});

it("/metrics counts each decision and each event once", async () => {
	expect(await sum("segue_decisions_total", 'experiment="sample"')).toBe(
		DECISIONS,
	);
	expect(await sum("segue_decision_duration_seconds_count")).toBe(DECISIONS);
	expect(await sum("segue_events_total", 'outcome="accepted"')).toBe(DECISIONS);
	expect(await sum("segue_learner_items_total", 'kind="decision"')).toBe(
		DECISIONS,
	);
});

const installed = spawnSync("prometheus", ["--version"]).status === 0;
if (!installed)
	console.warn(
		"No prometheus on PATH (apt-get install prometheus), so that a real one scrapes Segue is not tested here.",
	);

it.skipIf(!installed)(
	"a real Prometheus scrapes it, and answers every query of the dashboard",
	async () => {
		const folder = await mkdtemp(join(tmpdir(), "segue-prometheus-"));
		const port = await freePort();
		await writeFile(
			join(folder, "prometheus.yml"),
			`scrape_configs:
  - job_name: segue
    scrape_interval: 1s
    static_configs: [{ targets: ["${new URL(instance.url).host}"] }]
`,
		);
		const prometheus = spawn(
			"prometheus",
			[
				`--config.file=${join(folder, "prometheus.yml")}`,
				`--storage.tsdb.path=${join(folder, "data")}`,
				`--web.listen-address=127.0.0.1:${port}`,
			],
			{ cwd: folder, stdio: ["ignore", "ignore", "pipe"] },
		);
		let printed = "";
		prometheus.stderr.on("data", (chunk: Buffer) => {
			printed = (printed + chunk.toString()).slice(-20_000);
		});
		const query = async (expr: string) => {
			const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expr)}`;
			const answer = (await (await fetch(url)).json()) as {
				status: string;
				data: { result: { value: [number, string] }[] };
			};
			if (answer.status !== "success")
				throw new Error(`${expr}: ${JSON.stringify(answer)}`);
			return answer.data.result;
		};
		try {
			await waitFor(
				async () => {
					const [total] = await query(
						'sum(segue_decisions_total{job="segue", experiment="sample"})',
					);
					return Number(total?.value[1]) === DECISIONS;
				},
				30_000,
				() => `Prometheus did not get the decisions:\n${printed}`,
			);
			const asked = expressions(dashboard);
			expect(asked.length).toBeGreaterThan(9);
			for (const expr of asked) await query(expr);
		} finally {
			await end(prometheus);
			await rm(folder, { recursive: true, force: true });
		}
	},
);

/** Every panel's query as Grafana sends it, its variables filled in. */
function expressions(node: unknown): string[] {
	if (typeof node !== "object" || node === null) return [];
	const { expr } = node as { expr?: unknown };
	const own =
		typeof expr === "string"
			? [
					expr
						.replaceAll("$__rate_interval", "1m")
						.replaceAll("$experiment", ".*"),
				]
			: [];
	return [...own, ...Object.values(node).flatMap(expressions)];
}

async function end(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null) return;
	const ended = new Promise((resolve) => child.once("exit", resolve));
	child.kill("SIGTERM");
	await ended;
}
