import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Metrics } from "#adapters/telemetry";
import { metricsQueried } from "../../dashboards/metrics-queried.js";
import { segueDashboard } from "../../dashboards/segue.dashboard.js";

const FILE = fileURLToPath(
	new URL("../../dashboards/segue.json", import.meta.url),
);
const built = `${JSON.stringify(segueDashboard(), null, 2)}\n`;
if (process.env.UPDATE_DASHBOARDS === "1") writeFileSync(FILE, built);

describe("dashboards/segue.json", () => {
	it("is what dashboards/segue.dashboard.ts builds (UPDATE_DASHBOARDS=1 npx vitest run test/dashboards writes it)", () => {
		expect(readFileSync(FILE, "utf8")).toBe(built);
	});

	it("gives every panel a title, a description and a data source that is chosen on the dashboard", () => {
		const panels = (segueDashboard().panels ?? []).filter(
			(panel) => panel.type !== "row",
		);
		expect(panels.length).toBeGreaterThan(9);
		for (const panel of panels) {
			expect(panel).toMatchObject({
				title: expect.stringMatching(/./),
				description: expect.stringMatching(/\.$/),
				datasource: { type: "prometheus", uid: "$datasource" },
			});
		}
	});
});

describe("the dashboard's queries", () => {
	it("name only metrics that the telemetry declares", async () => {
		const metrics = new Metrics();
		metrics.watchSpool(() => ({ bytes: 0, entries: 0 }));
		metrics.watchBacklog(() => 0);
		metrics.watchDeadLetters(async () => 0);
		metrics.watchWebhooks(async () => 0);
		const types = new Map(
			[...(await metrics.render()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(
				([, name, type]) => [name!, type!],
			),
		);
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
