import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Panel } from "@grafana/grafana-foundation-sdk/dashboard";
import { describe, expect, it } from "vitest";
import { Metrics } from "#adapters/telemetry";
import { metricsQueried } from "../../dashboards/metrics-queried.js";
import { segueDashboard } from "../../dashboards/segue.dashboard.js";

const FILE = fileURLToPath(
	new URL("../../dashboards/segue.json", import.meta.url),
);
const RUNBOOK = readFileSync(
	new URL("../../docs/runbook.md", import.meta.url),
	"utf8",
);
const built = `${JSON.stringify(segueDashboard(), null, 2)}\n`;
if (process.env.UPDATE_DASHBOARDS === "1") writeFileSync(FILE, built);

describe("dashboards/segue.json", () => {
	it("is what dashboards/segue.dashboard.ts builds (UPDATE_DASHBOARDS=1 npx vitest run test/dashboards writes it)", () => {
		expect(readFileSync(FILE, "utf8")).toBe(built);
	});

	const panels = (segueDashboard().panels ?? []).flatMap((panel) =>
		panel.type === "row" ? [] : [panel as Panel],
	);

	it("gives every panel a title, a description and a data source that is chosen on the dashboard", () => {
		expect(panels.length).toBeGreaterThan(9);
		for (const panel of panels) {
			expect(panel).toMatchObject({
				title: expect.stringMatching(/./),
				description: expect.stringMatching(/\.$/),
				datasource: { type: "prometheus", uid: "$datasource" },
			});
		}
	});

	it("is red where a description calls for an alarm, and the runbook names what is", () => {
		const red = panels.filter((panel) => redFrom(panel) !== undefined);
		const called = panels.filter(({ description }) =>
			/alarm (on|from)/i.test(description ?? ""),
		);
		expect(red.map(({ title }) => title)).toEqual(
			called.map(({ title }) => title),
		);
		for (const panel of red)
			for (const name of metricsQueried(panel))
				expect(RUNBOOK, `${panel.title} alarms`).toContain(`\`${name}`);
	});
});

/** The value from which on a panel is red. */
function redFrom(panel: object): number | undefined {
	const { fieldConfig } = panel as {
		fieldConfig?: {
			defaults?: { thresholds?: { steps: { value: number | null }[] } };
		};
	};
	const steps = fieldConfig?.defaults?.thresholds?.steps ?? [];
	return steps.find(({ value }) => value !== null)?.value ?? undefined;
}

/** Type by name of every metric that Segue declares. */
async function declaredMetrics(): Promise<ReadonlyMap<string, string>> {
	const metrics = new Metrics();
	metrics.watchSpool(() => ({ bytes: 0, entries: 0 }));
	metrics.watchBacklog(() => 0);
	metrics.watchDeadLetters(async () => 0);
	metrics.watchWebhooks(async () => 0);
	return new Map(
		[...(await metrics.render()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(
			([, name, type]) => [name!, type!],
		),
	);
}

/** For a closer look by hand; what they tell is on the dashboard in another form. */
const WITHOUT_PANEL = [
	"segue_learner_batch_seconds",
	"segue_learner_batches_total",
	"segue_learner_items_total",
	"segue_posterior_revision",
	"segue_published_gaps_total",
	"segue_refresh_seconds",
	"segue_stream_publish_seconds",
	"segue_verdicts_total",
];

describe("the dashboard's queries", () => {
	it("read every metric of Segue, but for those named here", async () => {
		const queried = metricsQueried(segueDashboard()).map((name) =>
			name.replace(/_(bucket|sum|count)$/, ""),
		);
		const declared = [...(await declaredMetrics()).keys()].filter((name) =>
			name.startsWith("segue_"),
		);
		expect(declared.filter((name) => !queried.includes(name)).sort()).toEqual(
			WITHOUT_PANEL,
		);
	});

	it("name only metrics that the telemetry declares", async () => {
		const types = await declaredMetrics();
		const queried = metricsQueried(segueDashboard());
		expect(queried.length).toBeGreaterThan(9);
		for (const name of queried) {
			const histogram = name.replace(/_(bucket|sum|count)$/, "");
			const declared =
				types.get(name) ??
				(types.get(histogram) === "histogram" ? "histogram" : undefined);
			expect(
				declared,
				`${name} is queried, but libs/adapters/telemetry declares no such metric`,
			).toBeDefined();
		}
	});
});

describe("metricsQueried", () => {
	it("finds names in panels, nested rows and variables, each once, as /metrics spells them", () => {
		const dashboard = {
			templating: {
				list: [
					{ type: "query", query: "label_values(segue_a_total, experiment)" },
				],
			},
			panels: [
				{
					targets: [
						{ expr: "rate(segue_b_seconds_bucket[1m]) / segue_a_total" },
					],
				},
				{
					type: "row",
					panels: [{ targets: [{ expr: 'segue_c{arm="segue"}' }] }],
				},
			],
		};
		expect(metricsQueried(dashboard)).toEqual([
			"segue_a_total",
			"segue_b_seconds_bucket",
			"segue_c",
		]);
	});

	it("refuses a query that reads no metric of Segue", () => {
		expect(() =>
			metricsQueried({ panels: [{ targets: [{ expr: "up" }] }] }),
		).toThrow('"up" reads no metric');
	});
});
