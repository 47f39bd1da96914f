import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Experiment, parseExperimentYaml } from "#core/experiment";
import { ROOT, readCatalogue, readGenrePass } from "./catalogue.js";
import { applyExperiments, verifyReplay } from "./command-line.js";
import {
	type FullInformation,
	genreTruth,
	moodTruth,
} from "./full-information.js";
import { GenreTraffic } from "./genre-traffic.js";
import { makeListener } from "./listeners.js";
import { LISTENERS, MoodTraffic, PLAYLISTS } from "./mood-traffic.js";
import type { Options } from "./options.js";
import { openOutcomeSender } from "./outcome-sender.js";
import { replayTraffic } from "./replay-traffic.js";
import type { ReportView } from "./report-view.js";
import {
	type DemoResult,
	demoResult,
	type ExperimentResult,
} from "./result.js";
import type { Screen } from "./screen.js";
import { SegueApi } from "./segue-api.js";
import type { SegueProcess } from "./segue-process.js";
import { experimentTable, runTable } from "./tables.js";
import type { Traffic } from "./traffic.js";

interface Scene {
	readonly name: string;
	readonly traffic: Traffic;
	readonly truth: FullInformation;
	/** Whose behaviour this is: said before it starts. */
	readonly about: string;
	/** Milliseconds after the start at which it is cut short, so that a slow machine ends within three minutes too. */
	readonly until: number;
}

const FILES = [
	"experiments/genre-prompt.yaml",
	"experiments/mood-playlist.yaml",
];

const CLOSED_WITHIN_MS = 90_000;
const LOOK_EVERY_MS = 1_000;

/** The main job from end to end against a running Segue: experiments applied, traffic replayed, report read, log replayed. */
export async function runDemo(
	segue: SegueProcess,
	options: Options,
	screen: Screen,
	signal: AbortSignal,
	startedAt: number,
): Promise<DemoResult> {
	const runtime = await segue.ready(signal);
	screen.say(
		`Segue is up at ${segue.url}, stream: ${runtime.stream}${runtime.natsUrl ? ` at ${runtime.natsUrl}` : ""}, data in ${segue.folder}`,
	);
	const api = new SegueApi(segue.url);
	const sender = await openOutcomeSender(runtime.natsUrl, api);
	try {
		await applyExperiments(segue.folder, FILES);
		screen.say(
			`Applied ${FILES.join(" and ")}. Decisions go over HTTP, outcomes over ${sender.via}.`,
		);
		const replays: Omit<ExperimentResult, "report">[] = [];
		for (const { name, traffic, truth, about, until } of scenes(options)) {
			const key = traffic.experiment;
			screen.say(`\n${key}: ${about}`);
			const total = Math.min(options.limit, traffic.size);
			await api.posterior(key);
			const progress = screen.progress(key, total);
			const replayed = await replayTraffic(traffic, {
				limit: total,
				until: startedAt + until,
				api,
				sender,
				signal,
				progress: progress.update,
			}).finally(progress.stop);
			if (replayed.cutShort) {
				screen.say(
					`  Cut short after ${replayed.decisions} of ${total} decisions, to end within three minutes on this machine.`,
				);
			}
			replays.push({ key, name, truth, replayed });
		}
		screen.say("\nWaiting until the last decisions' windows are closed …");
		const results: ExperimentResult[] = [];
		for (const replay of replays)
			results.push({
				...replay,
				report: await closedReport(api, replay.key, signal),
			});
		const verdict = await verifyReplay(segue.folder);
		const result = demoResult(
			results,
			verdict,
			runtime.stream,
			(performance.now() - startedAt) / 1000,
		);
		for (const experiment of results)
			screen.say(`\n${experimentTable(experiment)}`);
		screen.say(`\n${runTable(result)}`);
		return result;
	} finally {
		await sender.close();
	}
}

/** The report once it tells of every decision, or as it is after a minute and a half. */
async function closedReport(
	api: SegueApi,
	key: string,
	signal: AbortSignal,
): Promise<ReportView> {
	const until = performance.now() + CLOSED_WITHIN_MS;
	let report = await api.report(key);
	while (report.freshness.waiting > 0 && performance.now() < until) {
		await sleep(LOOK_EVERY_MS, undefined, { signal });
		report = await api.report(key);
	}
	return report;
}

function scenes({ seed }: Options): Scene[] {
	const [genre, mood] = FILES.map(readExperiment) as [Experiment, Experiment];
	const catalogue = readCatalogue();
	const pass = readGenrePass(catalogue);
	const crowd = Array.from({ length: LISTENERS }, (_, i) =>
		makeListener(seed, i, PLAYLISTS),
	);
	return [
		{
			name: genre.name,
			traffic: new GenreTraffic(pass),
			truth: genreTruth(pass, genre.arms.length),
			about: `${pass.length} real tracks of the Free Music Archive; a prompt is played when it names the track's genre.`,
			until: 115_000,
		},
		{
			name: mood.name,
			traffic: new MoodTraffic(seed, catalogue),
			truth: moodTruth(mood, crowd, catalogue),
			about: `${catalogue.size} real tracks, but SIMULATED listeners: ${LISTENERS} of them, seed ${seed}. Each has a hidden mood, plays through what fits it and skips the rest.`,
			until: 150_000,
		},
	];
}

function readExperiment(file: string): Experiment {
	const parsed = parseExperimentYaml(readFileSync(join(ROOT, file), "utf8"));
	if (parsed.ok) return parsed.value;
	throw new Error(
		`${file}: ${parsed.problems.map(({ path, message }) => `${path}: ${message}`).join("; ")}`,
	);
}
