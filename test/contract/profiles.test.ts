import { MemoryClock, MemoryProfiles } from "#adapters/memory";
import { Database, PostgresProfiles } from "#adapters/postgres";
import { createTestDatabase } from "../support/database.js";
import { profilesSuite } from "./profiles.suite.js";

profilesSuite("Memory", async () => {
	const clock = new MemoryClock(1_000);
	const profiles = new MemoryProfiles(clock);
	return {
		profiles,
		forgetful: {
			changedSince: async (instant) => {
				const since = await profiles.changedSince(instant);
				return (since.changed?.length ?? 0) > 2
					? { ...since, changed: null }
					: since;
			},
		},
		pass: async (ms) => clock.advance(ms),
		stop: async () => {},
	};
});

profilesSuite("Postgres", async () => {
	const { connectionString, drop } = await createTestDatabase({
		migrated: true,
	});
	const database = new Database({ connectionString, applicationName: "test" });
	return {
		profiles: new PostgresProfiles(database),
		forgetful: new PostgresProfiles(database, 2),
		pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
		stop: async () => {
			await database.close();
			await drop();
		},
	};
});
