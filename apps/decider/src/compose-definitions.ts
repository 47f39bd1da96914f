import type { PostgresDefinitionStore } from "#adapters/postgres";
import type { ApiParts } from "#api";
import type { Experiment } from "#core/experiment";
import { type PrivacyPolicy, privacyProblems } from "#core/privacy";
import {
	GetExperiment,
	ListExperiments,
	type Obeyed,
	PauseExperiment,
	PutExperiment,
	ReadAudit,
	ResumeExperiment,
	RollBackExperiment,
	StartExperiment,
	StopExperiment,
} from "#usecases/defining";

/** All that is done to experiments and read of them: `obeyed` is done with a change before it is answered. */
export function composeDefinitions(
	store: PostgresDefinitionStore,
	obeyed: Obeyed,
	policy: PrivacyPolicy,
): Pick<
	ApiParts,
	| "listExperiments"
	| "getExperiment"
	| "putExperiment"
	| "startExperiment"
	| "pauseExperiment"
	| "stopExperiment"
	| "resumeExperiment"
	| "rollBackExperiment"
	| "readAudit"
> {
	const problemsOf = (experiment: Experiment) =>
		privacyProblems(policy, experiment);
	return {
		listExperiments: new ListExperiments(store),
		getExperiment: new GetExperiment(store),
		putExperiment: new PutExperiment(store, store, obeyed, problemsOf),
		startExperiment: new StartExperiment(store, store, obeyed),
		pauseExperiment: new PauseExperiment(store, store, obeyed),
		stopExperiment: new StopExperiment(store, store, obeyed),
		resumeExperiment: new ResumeExperiment(store, store, obeyed),
		rollBackExperiment: new RollBackExperiment(
			store,
			store,
			obeyed,
			problemsOf,
		),
		readAudit: new ReadAudit(store, store),
	};
}
