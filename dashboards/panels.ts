import * as common from "@grafana/grafana-foundation-sdk/common";
import {
	GraphDrawStyle,
	StackingMode,
} from "@grafana/grafana-foundation-sdk/common";
import {
	ThresholdsConfigBuilder,
	ThresholdsMode,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TimeseriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";

/** The data source is chosen on the dashboard, so that it works in any Grafana with a Prometheus. */
export const DATASOURCE = { type: "prometheus", uid: "$datasource" };

/** Where an `increase` says that something happened: Prometheus extrapolates, so that one may come out as less. */
export const ANY_INCREASE = 0.01;

export interface Query {
	readonly expr: string;
	/** Legend, with labels as `{{arm}}`. */
	readonly legend: string;
}

interface PanelOptions {
	readonly title: string;
	/** What to read from it, and when to worry. */
	readonly description: string;
	/** Grafana's name of a unit: `reqps`, `s`, `bytes`, `short`, `percentunit`. */
	readonly unit: string;
	/** In 24ths of the width. */
	readonly span: number;
	readonly queries: readonly Query[];
	readonly stacked?: boolean;
	readonly max?: number;
	/** Red from this value on. The description says so, and the runbook what to do. */
	readonly alarmFrom?: number;
}

export function timeseries(options: PanelOptions): TimeseriesBuilder {
	const panel = new TimeseriesBuilder()
		.title(options.title)
		.description(options.description)
		.datasource(DATASOURCE)
		.unit(options.unit)
		.span(options.span)
		.height(8)
		.drawStyle(GraphDrawStyle.Line)
		.lineWidth(1)
		.fillOpacity(options.stacked ? 40 : 8)
		.legend(
			new common.VizLegendOptionsBuilder()
				.showLegend(true)
				.placement(common.LegendPlacement.Bottom),
		)
		.tooltip(
			new common.VizTooltipOptionsBuilder().mode(
				common.TooltipDisplayMode.Multi,
			),
		)
		.targets(options.queries.map(target));
	if (options.stacked)
		panel.stacking(
			new common.StackingConfigBuilder().mode(StackingMode.Normal),
		);
	if (options.max !== undefined) panel.max(options.max);
	if (options.alarmFrom !== undefined)
		panel
			.thresholds(redFrom(options.alarmFrom))
			.thresholdsStyle(
				new common.GraphThresholdsStyleConfigBuilder().mode(
					common.GraphThresholdsStyleMode.Dashed,
				),
			);
	return panel;
}

export function stat(options: PanelOptions): StatBuilder {
	const panel = new StatBuilder()
		.title(options.title)
		.description(options.description)
		.datasource(DATASOURCE)
		.unit(options.unit)
		.span(options.span)
		.height(4)
		.targets(options.queries.map(target));
	if (options.alarmFrom !== undefined)
		panel.thresholds(redFrom(options.alarmFrom));
	return panel;
}

function redFrom(value: number): ThresholdsConfigBuilder {
	return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([
		{ value: null, color: "green" },
		{ value, color: "red" },
	]);
}

function target({ expr, legend }: Query, index: number): DataqueryBuilder {
	return new DataqueryBuilder()
		.refId(String.fromCharCode(65 + index))
		.datasource(DATASOURCE)
		.expr(expr)
		.legendFormat(legend);
}
