import { MemoryDeadLetters } from "#adapters/memory";
import { Database, PostgresDeadLetters } from "#adapters/postgres";
import { createTestDatabase } from "../support/database.js";
import { deadLettersSuite } from "./dead-letters.suite.js";

deadLettersSuite("memory", async () => {
	const letters = new MemoryDeadLetters();
	return {
		letters,
		add: async (letter) => letters.add(letter),
		stop: async () => undefined,
	};
});

deadLettersSuite("PostgreSQL", async () => {
	const own = await createTestDatabase({ migrated: true });
	const { connectionString } = own;
	const database = new Database({ connectionString, applicationName: "test" });
	let position = 0;
	return {
		letters: new PostgresDeadLetters(database),
		async add({ subject, reason, payload, receivedAt }) {
			const [row] = await database.query<{ id: number }>(
				`insert into dead_letters (position, item, stored_at, subject, reason, payload, received_at)
				values ($1, 0, now(), $2, $3, $4, to_timestamp($5 / 1000.0)) returning id`,
				[++position, subject, reason, Buffer.from(payload), receivedAt],
			);
			return (row as { id: number }).id;
		},
		async stop() {
			await database.close();
			await own.drop();
		},
	};
});
