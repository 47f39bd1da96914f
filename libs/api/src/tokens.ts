import type { ApiParts, OperationsParts } from "./parts.js";

/** What controllers ask for by @Inject. */
export const operationsTokens = {
	health: Symbol("health"),
	metricsText: Symbol("metricsText"),
	onUnexpected: Symbol("onUnexpected"),
	isDatabaseAway: Symbol("isDatabaseAway"),
} as const satisfies Record<keyof OperationsParts, symbol>;

export const tokens = {
	...operationsTokens,
	decide: Symbol("decide"),
	decideBatch: Symbol("decideBatch"),
	findDecision: Symbol("findDecision"),
	rederiveDecision: Symbol("rederiveDecision"),
	readPosterior: Symbol("readPosterior"),
	acceptEvents: Symbol("acceptEvents"),
	listExperiments: Symbol("listExperiments"),
	getExperiment: Symbol("getExperiment"),
	putExperiment: Symbol("putExperiment"),
	startExperiment: Symbol("startExperiment"),
	pauseExperiment: Symbol("pauseExperiment"),
	stopExperiment: Symbol("stopExperiment"),
	resumeExperiment: Symbol("resumeExperiment"),
	rollBackExperiment: Symbol("rollBackExperiment"),
	readAudit: Symbol("readAudit"),
	makeReport: Symbol("makeReport"),
	reportPage: Symbol("reportPage"),
	readContextHealth: Symbol("readContextHealth"),
	readGuardrails: Symbol("readGuardrails"),
	putProfile: Symbol("putProfile"),
	getProfile: Symbol("getProfile"),
	putConsent: Symbol("putConsent"),
	getConsent: Symbol("getConsent"),
	eraseUnit: Symbol("eraseUnit"),
	readLedger: Symbol("readLedger"),
	armKeysOf: Symbol("armKeysOf"),
} as const satisfies Record<keyof ApiParts, symbol>;
