import { startSegue } from "../segue.js";
import { Part } from "./part.js";

/** A learner that may die, stand still, and come back. */
export class Learner extends Part {
	static async start(env: Readonly<Record<string, string>>): Promise<Learner> {
		return new Learner(
			"learner",
			env,
			await startSegue({ app: "learner", env }),
		);
	}

	/** Batches that it committed, as its metrics say. */
	async batches(): Promise<number> {
		return (await this.metric("segue_learner_batches_total")) ?? 0;
	}
}
