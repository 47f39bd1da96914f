import { NestFactory } from "@nestjs/core";
import type { FastifyInstance } from "fastify";
import {
	MemoryBroker,
	MemoryClock,
	MemoryConsents,
	MemoryContexts,
	MemoryDecisionLog,
	MemoryDecisionReads,
	MemoryErasure,
	MemoryIds,
	MemoryLedgerReads,
	MemoryLive,
	MemoryPastSums,
	MemoryPosteriorSource,
	MemoryProfiles,
	MemoryRepeats,
	MemorySpool,
} from "#adapters/memory";
import { reportPage } from "#adapters/report-page";
import type { Event } from "#core/log";
import { BUILT_IN } from "#core/metrics";
import { privacyProblems } from "#core/privacy";
import {
	ConsentCache,
	GetConsent,
	PutConsent,
	WithheldFromProfiles,
} from "#usecases/consenting";
import {
	Decide,
	DecideBatch,
	DefinitionCache,
	FindDecision,
	PosteriorCache,
	ReadPosterior,
	RederiveDecision,
	RememberedDecisions,
} from "#usecases/deciding";
import {
	GetExperiment,
	ListExperiments,
	PauseExperiment,
	PutExperiment,
	ReadAudit,
	ResumeExperiment,
	RollBackExperiment,
	StartExperiment,
	StopExperiment,
} from "#usecases/defining";
import { EraseUnit } from "#usecases/erasing";
import { ReadGuardrails } from "#usecases/guarding";
import { AcceptEvents } from "#usecases/ingesting";
import { ReadLedger } from "#usecases/learning";
import { GetProfile, ProfileCache, PutProfile } from "#usecases/profiling";
import { MakeReport, type ReportReads } from "#usecases/reporting";
import { FoldContext, ReadContextHealth } from "#usecases/watching";
import { privacyOf } from "../../../test/support/privacy.js";
import { MemoryDefinitionStore } from "../../usecases/defining/test/memory-definition-store.js";
import { MemoryAnalyses } from "../../usecases/reporting/test/memory-analyses.js";
import {
	ApiModule,
	type ApiParts,
	createHttpAdapter,
	type HttpAnswer,
	serveDocs,
} from "../src/index.js";

export const NOON = Date.UTC(2026, 0, 5, 12);

const PATIENCE_MS = 2_000;

/** The real API over real use cases on memory twins; `changes` replaces parts of it. */
export async function startApi(changes: Partial<ApiParts> = {}) {
	const clock = new MemoryClock(NOON);
	const store = new MemoryDefinitionStore(() => clock.now());
	const source = new MemoryPosteriorSource();
	const definitions = new DefinitionCache(store);
	const posteriors = new PosteriorCache(source, definitions, clock);
	const obeyed = {
		refresh: async () => {
			await definitions.refresh();
			await posteriors.poll();
		},
	};
	const log = new MemoryDecisionLog();
	const contexts = new MemoryContexts(() => log.rows, store);
	const remembered = new RememberedDecisions(
		(id) => log.rows.find((row) => row.id === id) ?? null,
	);
	const reads = new MemoryDecisionReads();
	const past = new MemoryPastSums(source);
	const ledger = new MemoryLedgerReads();
	const events: Event[] = [];
	const stored = new MemoryProfiles(clock);
	const profiles = new ProfileCache(stored);
	const policy = privacyOf();
	const consented = new MemoryConsents(clock, stored);
	const consents = new ConsentCache(consented, () => performance.now());
	const tokens = { read: async (token: string) => JSON.parse(token) };
	const decide = new Decide(
		{
			definitions,
			posteriors,
			live: new MemoryLive(),
			ids: new MemoryIds(clock),
			log,
			repeats: new MemoryRepeats(clock),
			profiles: patient(profiles),
			privacy: { policy, consents: patient(consents), tokens },
		},
		100,
	);
	const unexpected: unknown[] = [];
	const erasure = new MemoryErasure(clock);
	const forgotten: string[] = [];
	const answered: HttpAnswer[] = [];
	const kept = async (some: readonly Event[]) => {
		events.push(...some);
		return "stream" as const;
	};
	const readGuardrails = new ReadGuardrails(
		store,
		store,
		{ sums: async () => null },
		{ since: async () => [] },
	);
	const parts: ApiParts = {
		decide,
		decideBatch: new DecideBatch(decide),
		findDecision: new FindDecision(reads, remembered),
		rederiveDecision: new RederiveDecision(store, past, 5_000),
		readPosterior: new ReadPosterior(definitions, posteriors, clock),
		acceptEvents: new AcceptEvents({ events: kept }, clock),
		listExperiments: new ListExperiments(store),
		getExperiment: new GetExperiment(store),
		putExperiment: new PutExperiment(store, store, obeyed, (experiment) =>
			privacyProblems(policy, experiment),
		),
		startExperiment: new StartExperiment(store, store, obeyed),
		pauseExperiment: new PauseExperiment(store, store, obeyed),
		stopExperiment: new StopExperiment(store, store, obeyed),
		resumeExperiment: new ResumeExperiment(store, store, obeyed),
		rollBackExperiment: new RollBackExperiment(store, store, obeyed),
		readAudit: new ReadAudit(store, store),
		makeReport: new MakeReport(
			new MemoryAnalyses(store.rows),
			store,
			nothingBooked,
			contexts,
			readGuardrails,
		),
		reportPage,
		readContextHealth: new ReadContextHealth(store, contexts, clock),
		readGuardrails,
		putProfile: new PutProfile(
			definitions,
			stored,
			profiles,
			new WithheldFromProfiles(policy, definitions, consented),
		),
		getProfile: new GetProfile(stored),
		putConsent: new PutConsent(
			policy,
			definitions,
			consented,
			consents,
			profiles,
		),
		getConsent: new GetConsent(consented),
		eraseUnit: new EraseUnit(
			{
				erasure,
				stream: new MemoryBroker().open(),
				spool: new MemorySpool(),
				memory: { forget: (unit) => void forgotten.push(unit) },
				clock,
			},
			(_, error) => void unexpected.push(error),
			900_000,
		),
		readLedger: new ReadLedger(ledger),
		armKeysOf: async (id) =>
			(await store.byIds([id]))[0]?.experiment.arms.map(({ key }) => key) ??
			null,
		health: async () => ({ ready: true, parts: { database: { ok: true } } }),
		metricsText: async () => "# HELP segue_up Whether it is up.\nsegue_up 1\n",
		onUnexpected: (error) => void unexpected.push(error),
		isDatabaseAway: (error) =>
			error instanceof Error && error.message === "connection terminated",
		...changes,
	};
	const adapter = createHttpAdapter({
		onAnswer: (answer) => void answered.push(answer),
	});
	const app = await NestFactory.create(ApiModule.with(parts), adapter, {
		logger: false,
	});
	serveDocs(app, "0.0.0-test");
	await app.listen(0, "127.0.0.1");
	const server: FastifyInstance = adapter.getInstance();
	return {
		app,
		server,
		url: await app.getUrl(),
		store,
		source,
		foldContexts: new FoldContext(contexts, store),
		past,
		ledger,
		definitions,
		posteriors,
		log,
		reads,
		events,
		clock,
		erasure,
		forgotten,
		stored,
		consented,
		unexpected,
		answered,
	};
}

/** The same with the experiment `morning` running. */
export async function startMorning(
	changes: Partial<ApiParts> = {},
): Promise<Api> {
	const api = await startApi(changes);
	await send(api, "PUT", "/v1/experiments/morning", morning);
	await send(api, "POST", "/v1/experiments/morning/start");
	return api;
}

export type Api = Awaited<ReturnType<typeof startApi>>;

export interface Answer {
	readonly status: number;
	// biome-ignore lint/suspicious/noExplicitAny: tests look at answers of every shape
	readonly body: any;
	readonly headers: Headers;
	readonly text: string;
}

export async function send(
	api: { readonly url: string },
	method: string,
	path: string,
	body?: unknown,
	headers: Record<string, string> = {},
): Promise<Answer> {
	const response = await fetch(`${api.url}${path}`, {
		method,
		...(body === undefined
			? { headers }
			: {
					headers: { "content-type": "application/json", ...headers },
					body:
						typeof body === "string" || body instanceof Uint8Array
							? (body as RequestInit["body"])
							: JSON.stringify(body),
				}),
	});
	const text = await response.text();
	const json = response.headers.get("content-type")?.includes("json") ?? false;
	return {
		status: response.status,
		body: json && text !== "" ? JSON.parse(text) : undefined,
		headers: response.headers,
		text,
	};
}

/** Two arms, one under a rule. */
export const morning = {
	key: "morning",
	name: "Which prompt opens the morning?",
	arms: [
		{ key: "focus", payload: { text: "Something to focus on" } },
		{
			key: "energy",
			payload: { text: "Wake up" },
			eligible: 'context.activity != "sleep"',
		},
	],
	context: {
		features: [
			{ name: "hour", from: "request", kind: "cyclic", period: 24 },
			{
				name: "activity",
				from: "request",
				kind: "attribute",
				values: ["sleep", "work"],
			},
		],
	},
	policy: { kind: "linucb", alpha: 0.5, ridge: 1, explore: 0.1 },
	reward: {
		window: "30m",
		range: [-1, 2],
		outcomes: [{ type: "play", value: 0.25 }],
	},
	traffic: { share: 1, control: 0.1, baseline: "uniform" },
};

export const ask = {
	experiment: "morning",
	unit: "listener-1",
	context: { hour: 8, activity: "work" },
};

/** Asked with more patience than a decision has, in which a busy machine may stand still. Budgets are proved where decisions are made. */
function patient<V>(units: {
	lookUp(unit: string, budgetMs: number): V | null | Promise<V | null>;
}) {
	return { lookUp: (unit: string) => units.lookUp(unit, PATIENCE_MS) };
}

/** As before the first decision's window has closed. */
const nothingBooked: ReportReads = {
	booked: async (runs) =>
		runs.map((run) => ({
			...run,
			freshness: {
				bookedUpTo: null,
				cursor: null,
				isPending: false,
				revision: 0,
				newestRevision: 0,
				decisions: 0,
				waiting: 0,
				unbooked: 0,
				bookedAt: null,
			},
			metrics: BUILT_IN,
			epochs: [],
			hours: [],
			draws: [],
			degraded: { decisions: 0, parts: {} },
			scores: new Map(),
			looks: [],
		})),
	open: async () => ({ arms: [], firstAt: null, lastAt: null }),
	installation: async () => ({
		deadLetters: 0,
		waitingEvents: 0,
		lateEvents: 0,
		lostPacks: 0,
	}),
};
