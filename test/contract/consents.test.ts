import { MemoryClock, MemoryConsents, MemoryProfiles } from "#adapters/memory";
import {
	Database,
	PostgresConsents,
	PostgresProfiles,
} from "#adapters/postgres";
import { createTestDatabase } from "../support/database.js";
import { consentsSuite } from "./consents.suite.js";

consentsSuite("Memory", async () => {
	const clock = new MemoryClock(1_000);
	const profiles = new MemoryProfiles(clock);
	return {
		consents: new MemoryConsents(clock, profiles),
		profiles,
		pass: async (ms) => clock.advance(ms),
		stop: async () => {},
	};
});

consentsSuite("Postgres", async () => {
	const { connectionString, drop } = await createTestDatabase({
		migrated: true,
	});
	const database = new Database({ connectionString, applicationName: "test" });
	return {
		consents: new PostgresConsents(database),
		profiles: new PostgresProfiles(database),
		pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
		stop: async () => {
			await database.close();
			await drop();
		},
	};
});
