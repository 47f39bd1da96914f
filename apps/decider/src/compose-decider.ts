import type { Config } from "#adapters/config";
import {
	Database,
	isTransient,
	PostgresDecisionReads,
	PostgresDefinitionStore,
	PostgresErasure,
	PostgresPosteriorSource,
	PostgresRepeats,
	PostgresRevisionReads,
} from "#adapters/postgres";
import { currentTraceId, type Metrics } from "#adapters/telemetry";
import type { ApiParts } from "#api";
import { unitHash } from "#core/live";
import {
	Decide,
	DecideBatch,
	type DecisionWatch,
	DefinitionCache,
	FindDecision,
	NoteVisits,
	PosteriorCache,
	ReadPosterior,
	RederiveDecision,
	unitUnder,
} from "#usecases/deciding";
import { UnerasedDecisions } from "#usecases/erasing";
import { AcceptEvents } from "#usecases/ingesting";
import { PastSumsOfLog } from "#usecases/learning";
import { FormerNames } from "#usecases/pseudonymising";
import { logDays } from "../../boot/src/kept-for.js";
import type { Log } from "../../boot/src/log.js";
import type { PrivacyParts } from "../../boot/src/open-privacy.js";
import type { Parts } from "../../boot/src/parts.js";
import { pseudonymsOf } from "../../boot/src/pseudonyms.js";
import type { Shutdown } from "../../boot/src/shutdown.js";
import { armKeys } from "./arm-keys.js";
import {
	behindPseudonyms,
	consentsOfKnown,
	eventUnit,
	keptBy,
	unitAt,
} from "./behind-pseudonyms.js";
import { composeConsents } from "./compose-consents.js";
import { composeDefinitions } from "./compose-definitions.js";
import { composeErasure } from "./compose-erasure.js";
import { composeLive } from "./compose-live.js";
import { composeLog } from "./compose-log.js";
import { composeProfiles } from "./compose-profiles.js";
import { composeReports } from "./compose-reports.js";
import { expireKept } from "./expire-kept.js";
import { health } from "./health.js";
import { measured } from "./measured.js";
import { mintIds } from "./mint-ids.js";

const clock = { now: () => Date.now() };
const ids = mintIds(() => Date.now());

/** How long recovering the sums of the past may take before the command line is named instead: less than clients wait. */
const EXPLAIN_MS = 8_000;

export interface DeciderNeeds {
	readonly config: Config;
	readonly parts: Parts;
	readonly privacy: PrivacyParts;
	readonly log: Log;
	readonly metrics: Metrics;
	readonly shutdown: Shutdown;
}

/** Wires a decider's use cases to their adapters and starts what they keep in memory. Resolves when decisions can be answered. */
export async function composeDecider({
	config,
	parts,
	privacy,
	log,
	metrics,
	shutdown,
}: DeciderNeeds): Promise<ApiParts> {
	const warn = (what: string) => (error: unknown) =>
		log.warn({ err: error }, what);
	const database = new Database({
		connectionString: parts.databaseUrl,
		applicationName: "segue decider",
		statementTimeoutMs: 10_000,
		onLost: warn("A connection of the decider was lost"),
	});
	shutdown.add("decider's pool", () => database.close());
	const store = new PostgresDefinitionStore(database, (key, err) => {
		metrics.definitionUnreadable(key);
		log.error({ err }, `The definition of ${key} was not read: it is left out`);
	});
	// Apart, so that no report or posterior holds up a decision that asks for one made before.
	const repeatsDatabase = new Database({
		connectionString: parts.databaseUrl,
		applicationName: "segue decider",
		most: 3,
		least: 3,
		statementTimeoutMs: 1_000,
		onLost: warn("A connection of the decider was lost"),
	});
	shutdown.add("pool of repeats", () => repeatsDatabase.close());
	const repeats = new PostgresRepeats(
		repeatsDatabase,
		warn("Whether a decision had been asked for before could not be told"),
	);
	await repeats.warm();

	const { spool, remembered, publisher } = await composeLog({
		config,
		parts,
		log,
		metrics,
		shutdown,
	});

	const posteriorSource = measured(
		new PostgresPosteriorSource(database),
		metrics,
	);
	const definitions: DefinitionCache = new DefinitionCache(store, {
		failed: warn("The definitions were not refreshed"),
		prepare: async (definition) => {
			await Promise.all([
				posteriors.prepare(definition),
				prepareLive(definition),
			]);
		},
	});
	const erasure = new PostgresErasure(database);
	const pseudonyms = pseudonymsOf(config);
	// What was looked up before the unit's other names were known lacks what lies under them.
	const former: FormerNames = new FormerNames((name) => {
		profiles.forget(name);
		consents.forget(name);
	});
	const knownConsents = consentsOfKnown(
		{ lookUp: (unit, ms) => consents.lookUp(unit, ms) },
		{ pseudonyms, former, clock },
	);
	const {
		live,
		hashKey,
		prepare: prepareLive,
	} = await composeLive({
		config,
		parts,
		database,
		erasure,
		keeper: {
			policy: privacy.policy,
			consents: knownConsents,
		},
		pseudonyms,
		log,
	});
	const posteriors: PosteriorCache = new PosteriorCache(
		posteriorSource,
		definitions,
		clock,
		{
			failed: warn("A posterior was not refreshed"),
		},
	);
	await definitions.start();
	shutdown.add("definitions", () => definitions.stop());
	await posteriors.start(parts.stream);
	shutdown.add("posteriors", () => posteriors.stop());
	const { databaseUrl } = parts;
	const needs = {
		databaseUrl,
		database,
		definitions,
		formerNames: former,
		warn,
		shutdown,
	};
	const {
		cache: profiles,
		stored: storedProfiles,
		...profileCalls
	} = await composeProfiles({
		...needs,
		withheld: () => withheld,
	});
	const {
		cache: consents,
		stored: storedConsents,
		withheld,
		...consentCalls
	} = await composeConsents({
		...needs,
		privacy,
		profiles,
		onChanged: (unit, since) => {
			const under = unitHash(hashKey, unitUnder(unit, since));
			live.forgetGated([{ ...under, erasedAt: clock.now() }]);
		},
	});
	const kept = { profile: profiles, consent: consents };
	expireKept(privacy.policy, kept, shutdown);
	live.start();
	shutdown.add("live windows", () => live.stop());

	const eraseUnit = composeErasure({
		erasure,
		parts,
		log,
		shutdown,
		spool,
		kept: { live, hashKey, profiles, consents, remembered },
		pseudonyms,
	});
	const watch: DecisionWatch = {
		traceId: currentTraceId,
		answered: (decision, seconds) => metrics.decided(decision, seconds),
	};
	const decide = new Decide(
		{
			definitions,
			posteriors,
			live,
			ids,
			log: publisher,
			repeats,
			visits: new NoteVisits(
				publisher,
				logDays(config.logDays, privacy.policy, () => {}),
			),
			profiles,
			privacy: { ...privacy, consents: knownConsents },
			nameOf: unitAt({ pseudonyms, former }),
			watch,
		},
		config.decideDeadlineMs,
	);
	const door = behindPseudonyms(
		{ ...profileCalls, ...consentCalls },
		{
			pseudonyms,
			former,
			kept: keptBy(storedProfiles, storedConsents),
			clock,
		},
	);
	return {
		...door,
		decide,
		decideBatch: new DecideBatch(decide),
		findDecision: new FindDecision(
			new PostgresDecisionReads(database, store),
			new UnerasedDecisions(remembered, erasure),
		),
		rederiveDecision: new RederiveDecision(
			store,
			new PastSumsOfLog(new PostgresRevisionReads(database, store)),
			EXPLAIN_MS,
		),
		readPosterior: new ReadPosterior(definitions, posteriors, clock),
		acceptEvents: new AcceptEvents(
			publisher,
			clock,
			(accepted, rejected) => metrics.eventsAnswered(accepted, rejected),
			pseudonyms === null ? undefined : eventUnit(pseudonyms),
		),
		...composeDefinitions(store, definitions, privacy.policy),
		...composeReports(database, store, clock),
		eraseUnit,
		armKeysOf: armKeys(store, definitions),
		health: () => health(database, parts, privacy, live, spool),
		metricsText: () => metrics.render(),
		onUnexpected: (error, where) =>
			log.error(
				{ err: error },
				`An error that is none of the catalogue, at ${where}`,
			),
		isDatabaseAway: isTransient,
	};
}
