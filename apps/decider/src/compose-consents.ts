import { Database, PostgresConsents } from "#adapters/postgres";
import {
	ConsentCache,
	GetConsent,
	PutConsent,
	WithheldFromProfiles,
} from "#usecases/consenting";
import { type DeclaringDefinitions, FollowChanges } from "#usecases/profiling";
import { type FormerNames, readByAnyName } from "#usecases/pseudonymising";
import type { PrivacyParts } from "../../boot/src/open-privacy.js";
import type { Shutdown } from "../../boot/src/shutdown.js";

export interface ConsentsNeeds {
	readonly databaseUrl: string;
	/** For what nobody waits for. */
	readonly database: Database;
	readonly definitions: DeclaringDefinitions;
	/** What was said under a former name of a unit stands until it says something anew. */
	readonly formerNames: FormerNames;
	readonly privacy: PrivacyParts;
	/** What this process keeps of profiles. */
	readonly profiles: { forget(unit: string): void };
	/** Told of a unit whose consent stands no more, and since when it stood. */
	readonly onChanged: (unit: string, since: number) => void;
	readonly warn: (what: string) => (error: unknown) => void;
	readonly shutdown: Shutdown;
}

/** A decider's consents: kept in memory as long as changes are heard of, and put and shown through it. */
export async function composeConsents({
	databaseUrl,
	database,
	definitions,
	formerNames,
	privacy: { policy },
	profiles,
	onChanged,
	warn,
	shutdown,
}: ConsentsNeeds) {
	// Apart, so that a decision waits behind no report, and news of a withdrawal behind nothing.
	const lookups = new Database({
		connectionString: databaseUrl,
		applicationName: "segue decider",
		most: 3,
		least: 2,
		statementTimeoutMs: 1_000,
		onLost: warn("A connection of the decider was lost"),
	});
	shutdown.add("pool of consents", () => lookups.close());
	const looked = new PostgresConsents(lookups);
	await looked.read([]);
	const byAnyName = (store: PostgresConsents) => ({
		read: (units: readonly string[]) =>
			readByAnyName(store, formerNames, units),
	});
	const cache: ConsentCache = new ConsentCache(
		byAnyName(looked),
		() => changes.heardAt,
		{
			onChanged,
			mostItems: 1_000,
			mostWaiting: 20_000,
			failed: warn("Consents were not had from the database"),
		},
	);
	const changes: FollowChanges = new FollowChanges(
		looked,
		cache,
		warn(
			"Consents put elsewhere were not heard of; features that need consent are left out",
		),
	);
	await changes.start();
	shutdown.add("consents", () => changes.stop());
	const stored = new PostgresConsents(database);
	return {
		cache,
		stored,
		putConsent: new PutConsent(policy, definitions, stored, cache, profiles),
		getConsent: new GetConsent(byAnyName(stored)),
		withheld: new WithheldFromProfiles(policy, definitions, byAnyName(stored)),
	};
}
