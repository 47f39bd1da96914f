import { Database, PostgresProfiles } from "#adapters/postgres";
import {
	type DeclaringDefinitions,
	FollowChanges,
	GetProfile,
	ProfileCache,
	PutProfile,
	type Withheld,
} from "#usecases/profiling";
import { type FormerNames, readByAnyName } from "#usecases/pseudonymising";
import type { Shutdown } from "../../boot/src/shutdown.js";

export interface ProfilesNeeds {
	readonly databaseUrl: string;
	/** For what nobody waits for. */
	readonly database: Database;
	readonly definitions: DeclaringDefinitions;
	/** Profiles put under a former name of a unit are its profile. */
	readonly formerNames: FormerNames;
	/** Features that must not be kept of a unit. */
	readonly withheld: () => Withheld;
	readonly warn: (what: string) => (error: unknown) => void;
	readonly shutdown: Shutdown;
}

/** A decider's profiles: kept in memory, told what changes elsewhere, and put and shown through it. */
export async function composeProfiles({
	databaseUrl,
	database,
	definitions,
	formerNames,
	withheld,
	warn,
	shutdown,
}: ProfilesNeeds) {
	// Apart, so that a decision waits behind no report and no key of a retry.
	const lookups = new Database({
		connectionString: databaseUrl,
		applicationName: "segue decider",
		most: 2,
		least: 1,
		statementTimeoutMs: 1_000,
		onLost: warn("A connection of the decider was lost"),
	});
	shutdown.add("pool of profiles", () => lookups.close());
	const looked = new PostgresProfiles(lookups);
	// To open a connection and prepare the statement takes longer than the first decisions wait.
	await looked.read([]);
	const byAnyName = (store: PostgresProfiles) => ({
		read: (units: readonly string[]) =>
			readByAnyName(store, formerNames, units),
	});
	const cache = new ProfileCache(byAnyName(looked), {
		failed: warn("Profiles were not had from the database"),
	});
	const stored = new PostgresProfiles(database);
	const changes = new FollowChanges(
		stored,
		cache,
		warn("Profiles put elsewhere were not heard of"),
	);
	await changes.start();
	shutdown.add("profiles", () => changes.stop());
	return {
		cache,
		stored,
		putProfile: new PutProfile(definitions, stored, cache, {
			of: (unit) => withheld().of(unit),
		}),
		getProfile: new GetProfile(byAnyName(stored)),
	};
}
