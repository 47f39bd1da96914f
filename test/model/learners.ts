import {
	type PostgresDefinitionStore,
	PostgresLearningLedger,
} from "#adapters/postgres";

/** Two learners of one database, of which one may be started anew. */
export class Learners {
	first: PostgresLearningLedger;
	readonly second: PostgresLearningLedger;

	constructor(
		private readonly connectionString: string,
		private readonly store: PostgresDefinitionStore,
	) {
		this.first = this.#start();
		this.second = this.#start();
	}

	async restart(): Promise<void> {
		await this.first.close();
		this.first = this.#start();
	}

	async close(): Promise<void> {
		await this.first.close();
		await this.second.close();
	}

	#start(): PostgresLearningLedger {
		return new PostgresLearningLedger({
			connectionString: this.connectionString,
			applicationName: "model",
			definitions: (ids) => this.store.byIds(ids),
		});
	}
}
