import type { Report } from "#core/report";
import type { GetConsent, PutConsent } from "#usecases/consenting";
import type {
	Decide,
	DecideBatch,
	FindDecision,
	ReadPosterior,
	RederiveDecision,
} from "#usecases/deciding";
import type {
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
import type { EraseUnit } from "#usecases/erasing";
import type { ReadGuardrails } from "#usecases/guarding";
import type { AcceptEvents } from "#usecases/ingesting";
import type { ReadLedger } from "#usecases/learning";
import type { GetProfile, PutProfile } from "#usecases/profiling";
import type { MakeReport } from "#usecases/reporting";
import type { ReadContextHealth } from "#usecases/watching";

type Verb<T extends { execute: unknown }> = Pick<T, "execute">;

/** One part that a process stands on, as /health/ready shows it. */
export interface PartHealth {
	readonly ok: boolean;
	/** What is wrong, or what is in use. */
	readonly detail?: string;
}

export interface Health {
	/** False where a load balancer should send nothing here. */
	readonly ready: boolean;
	readonly parts: { readonly [part: string]: PartHealth };
}

/** What every process answers. */
export interface OperationsParts {
	readonly health: () => Promise<Health>;
	/** The Prometheus text format, version 0.0.4. */
	readonly metricsText: () => Promise<string>;
	/** Told of every error that is none of the catalogue, before it is answered as `internal`. */
	readonly onUnexpected: (error: unknown, where: string) => void;
	/** True for errors that mean: the database is out of reach. They are answered 503. */
	readonly isDatabaseAway: (error: unknown) => boolean;
}

/** What the app hands in: use cases it has wired. */
export interface ApiParts extends OperationsParts {
	readonly decide: Verb<Decide>;
	readonly decideBatch: Verb<DecideBatch>;
	readonly findDecision: Verb<FindDecision>;
	readonly rederiveDecision: Verb<RederiveDecision>;
	readonly readPosterior: Verb<ReadPosterior>;
	readonly acceptEvents: Verb<AcceptEvents>;
	readonly listExperiments: Verb<ListExperiments>;
	readonly getExperiment: Verb<GetExperiment>;
	readonly putExperiment: Verb<PutExperiment>;
	readonly startExperiment: Verb<StartExperiment>;
	readonly pauseExperiment: Verb<PauseExperiment>;
	readonly stopExperiment: Verb<StopExperiment>;
	readonly resumeExperiment: Verb<ResumeExperiment>;
	readonly rollBackExperiment: Verb<RollBackExperiment>;
	readonly readAudit: Verb<ReadAudit>;
	readonly makeReport: Verb<MakeReport>;
	/** The report as one page of HTML. */
	readonly reportPage: (report: Report) => string;
	readonly readContextHealth: Verb<ReadContextHealth>;
	readonly readGuardrails: Verb<ReadGuardrails>;
	readonly putProfile: Verb<PutProfile>;
	readonly getProfile: Verb<GetProfile>;
	readonly putConsent: Verb<PutConsent>;
	readonly getConsent: Verb<GetConsent>;
	readonly eraseUnit: Verb<EraseUnit>;
	readonly readLedger: Verb<ReadLedger>;
	/** Arm keys of a definition row, in its order, so that a logged decision can name its arms; null where they cannot be read now. */
	readonly armKeysOf: (
		definitionId: number,
	) => Promise<readonly string[] | null>;
}
