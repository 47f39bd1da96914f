import { type ScaleLinear, scaleLinear, scaleUtc } from "d3-scale";
import { area, curveStepAfter, line } from "d3-shape";
import { html, type Markup } from "./markup.js";
import { number } from "./numbers.js";

/** Pixels of a chart; the page scales it. */
const WIDTH = 760;
const RIGHT = 24;
const TOP = 12;
const AXIS = 36;
const ROW = 26;
const PLOT = 220;

/** Colours that people with any kind of colour blindness tell apart (Okabe and Ito 2008). */
const COLOURS = [
	"#0072b2",
	"#e69f00",
	"#009e73",
	"#cc79a7",
	"#56b4e9",
	"#d55e00",
	"#f0e442",
	"#999999",
] as const;

/** Looks are attributes, so that a chart stays what it is wherever it is pasted. */
const BLUE = COLOURS[0];
const RED = "#a40e26";
const SOFT = "#57606a";

export function colour(place: number): string {
	return COLOURS[place % COLOURS.length] as string;
}

export interface Interval {
	readonly label: string;
	readonly estimate: number;
	readonly low: number;
	readonly high: number;
}

/** Intervals below each other on one axis; `from` is a line that they are read against. */
export function intervalsChart(
	title: string,
	intervals: readonly Interval[],
	unit: string,
	from: number | null,
): Markup {
	const left = labelsWidth(intervals.map(({ label }) => label));
	const height = TOP + ROW * intervals.length + AXIS;
	const x = scaleLinear()
		.domain(
			extent([
				...intervals.flatMap(({ low, high }) => [low, high]),
				...(from === null ? [] : [from]),
			]),
		)
		.nice()
		.range([left, WIDTH - RIGHT]);
	const bottom = height - AXIS;
	return svg(
		title,
		height,
		html`${valueAxis(x, bottom, unit)}
${from === null ? null : html`<line stroke="${SOFT}" stroke-dasharray="4 3" x1="${x(from)}" x2="${x(from)}" y1="${TOP}" y2="${bottom}"/>`}
${intervals.map(({ label, estimate, low, high }, i) => {
	const y = TOP + ROW * (i + 0.5);
	return html`<g><title>${label}: ${number(estimate)}, ${number(low)} to ${number(high)}</title><text dominant-baseline="middle" x="${left - 8}" y="${y}" text-anchor="end">${short(label)}</text><line stroke="${BLUE}" stroke-width="2" x1="${x(low)}" x2="${x(high)}" y1="${y}" y2="${y}"/><line stroke="${BLUE}" stroke-width="2" x1="${x(low)}" x2="${x(low)}" y1="${y - 5}" y2="${y + 5}"/><line stroke="${BLUE}" stroke-width="2" x1="${x(high)}" x2="${x(high)}" y1="${y - 5}" y2="${y + 5}"/><circle fill="${BLUE}" cx="${x(estimate)}" cy="${y}" r="4"/></g>`;
})}`,
	);
}

export interface SequencePoint {
	readonly at: number;
	readonly estimate: number;
	readonly low: number;
	readonly high: number;
}

/** Moments drawn as lines across a chart, numbered as in the list beside it. */
export interface ChartMark {
	readonly at: number;
	readonly label: string;
}

/** An estimate over time with its sequence of intervals. */
export function sequenceChart(
	title: string,
	points: readonly SequencePoint[],
	unit: string,
	marks: readonly ChartMark[],
): Markup {
	const x = timeScale(points.map(({ at }) => at));
	const bottom = TOP + PLOT;
	const y = scaleLinear()
		.domain(extent([0, ...points.flatMap(({ low, high }) => [low, high])]))
		.nice()
		.range([bottom, TOP]);
	const band = area<SequencePoint>()
		.x(({ at }) => x(at))
		.y0(({ low }) => y(low))
		.y1(({ high }) => y(high));
	const middle = line<SequencePoint>()
		.x(({ at }) => x(at))
		.y(({ estimate }) => y(estimate));
	return svg(
		title,
		bottom + AXIS,
		html`${timeAxis(x, bottom)}${heightAxis(y, unit)}
<path fill="${BLUE}" fill-opacity="0.18" d="${band([...points])}"/><path fill="none" stroke="${BLUE}" stroke-width="2" d="${middle([...points])}"/>
<line stroke="${SOFT}" stroke-dasharray="4 3" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(0)}" y2="${y(0)}"/>${marksOf(marks, x, bottom)}`,
	);
}

export interface ShareSpan {
	readonly at: number;
	/** In [0, 1], of each name; together 1. */
	readonly shares: readonly number[];
}

/** Shares of several names over time, one above the other. */
export function sharesChart(
	title: string,
	names: readonly string[],
	spans: readonly ShareSpan[],
	marks: readonly ChartMark[],
): Markup {
	const x = timeScale(spans.map(({ at }) => at));
	const bottom = TOP + PLOT;
	const y = scaleLinear().domain([0, 1]).range([bottom, TOP]);
	const below = (span: ShareSpan, place: number) =>
		span.shares.slice(0, place).reduce((sum, share) => sum + share, 0);
	const layers = names.map((name, place) => {
		const layer = area<ShareSpan>()
			.curve(curveStepAfter)
			.x(({ at }) => x(at))
			.y0((span) => y(below(span, place)))
			.y1((span) => y(below(span, place + 1)));
		return html`<path fill="${colour(place)}" d="${layer([...spans])}"><title>${name}</title></path>`;
	});
	return html`${svg(title, bottom + AXIS, html`${layers}${timeAxis(x, bottom)}${heightAxis(y, "share")}${marksOf(marks, x, bottom)}`)}
<ul class="legend">${names.map((name, place) => html`<li><svg width="12" height="12" aria-hidden="true"><rect width="12" height="12" fill="${colour(place)}"/></svg> ${name}</li>`)}</ul>`;
}

const LEFT = 64;
const HALF_HOUR_MS = 1_800_000;

function timeScale(times: readonly number[]) {
	return scaleUtc()
		.domain(extent(times, HALF_HOUR_MS))
		.range([LEFT, WIDTH - RIGHT]);
}

function svg(title: string, height: number, content: Markup): Markup {
	return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}"><title>${title}</title>${content}</svg>`;
}

function valueAxis(
	x: ScaleLinear<number, number>,
	bottom: number,
	unit: string,
): Markup {
	return html`${x.ticks(6).map((tick) => html`<line stroke="#eaeef2" x1="${x(tick)}" x2="${x(tick)}" y1="${TOP}" y2="${bottom}"/><text fill="${SOFT}" font-size="11" x="${x(tick)}" y="${bottom + 16}" text-anchor="middle">${number(tick)}</text>`)}<text fill="${SOFT}" font-size="11" x="${WIDTH - RIGHT}" y="${bottom + 32}" text-anchor="end">${unit}</text>`;
}

function heightAxis(y: ScaleLinear<number, number>, unit: string): Markup {
	return html`${y.ticks(5).map((tick) => html`<line stroke="#eaeef2" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(tick)}" y2="${y(tick)}"/><text fill="${SOFT}" font-size="11" x="${LEFT - 6}" y="${y(tick)}" text-anchor="end" dominant-baseline="middle">${number(tick)}</text>`)}<text fill="${SOFT}" font-size="11" x="4" y="${TOP - 2}">${unit}</text>`;
}

function timeAxis(x: ReturnType<typeof timeScale>, bottom: number): Markup {
	const format = x.tickFormat(6);
	return html`${x.ticks(6).map((tick) => html`<text fill="${SOFT}" font-size="11" x="${x(tick)}" y="${bottom + 16}" text-anchor="middle">${format(tick)}</text>`)}<text fill="${SOFT}" font-size="11" x="${WIDTH - RIGHT}" y="${bottom + 32}" text-anchor="end">UTC</text>`;
}

function marksOf(
	marks: readonly ChartMark[],
	x: ReturnType<typeof timeScale>,
	bottom: number,
): Markup {
	const [from, to] = x.domain() as [Date, Date];
	const within = marks.filter(({ at }) => at >= +from && at <= +to);
	return html`${within.map(({ at, label }) => html`<g><title>${label}</title><line stroke="${RED}" stroke-dasharray="2 2" x1="${x(at)}" x2="${x(at)}" y1="${TOP}" y2="${bottom}"/><text fill="${RED}" font-size="10" x="${x(at) + 3}" y="${TOP + 9}">${short(label)}</text></g>`)}`;
}

/** Never empty: a single value gets room on both sides. */
function extent(values: readonly number[], room?: number): [number, number] {
	const low = values.reduce((least, value) => Math.min(least, value));
	const high = values.reduce((most, value) => Math.max(most, value));
	if (low < high) return [low, high];
	const around = room ?? Math.max(1e-3, Math.abs(low) / 10);
	return [low - around, high + around];
}

const MOST_LABEL = 32;

function short(label: string): string {
	return label.length <= MOST_LABEL
		? label
		: `${label.slice(0, MOST_LABEL - 1)}…`;
}

function labelsWidth(labels: readonly string[]): number {
	const longest = Math.max(0, ...labels.map((label) => short(label).length));
	return Math.min(240, Math.max(LEFT, 16 + 7 * longest));
}
