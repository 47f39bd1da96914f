import type { PostgresDefinitionStore } from "#adapters/postgres";
import type { Definition } from "#core/experiment";
import {
	PauseExperiment,
	PutExperiment,
	StartExperiment,
} from "#usecases/defining";
import type { RewardForm } from "./commands.js";
import { WINDOW_MS } from "./plain-fold.js";

const by = { actor: "model", why: "" };

/** Whose experiment it is: starts and pauses it, and edits it while it runs. */
export class Owner {
	definition!: Definition;
	readonly #arms: { key: string; state?: "retired" }[] = [
		{ key: "a" },
		{ key: "b" },
	];

	constructor(
		private readonly store: PostgresDefinitionStore,
		private readonly key: string,
		public reward: RewardForm,
	) {}

	get active(): readonly { readonly key: string }[] {
		return this.#arms.filter(({ state }) => state === undefined);
	}

	async begin(): Promise<void> {
		await this.#put();
		await this.pauseOrResume();
	}

	async pauseOrResume(): Promise<void> {
		const { store, key } = this;
		const change =
			this.definition.state === "running"
				? new PauseExperiment(store, store)
				: new StartExperiment(store, store);
		this.definition = await change.execute({ key, ...by });
	}

	addArm(): Promise<void> {
		this.#arms.push({ key: `arm-${this.#arms.length}` });
		return this.#put();
	}

	/** The last active one stays. */
	retireOrReturn(number: number): Promise<void> {
		const arm = this.#arms[number % this.#arms.length];
		if (arm?.state === "retired") delete arm.state;
		else if (arm && this.active.length > 1) arm.state = "retired";
		return this.#put();
	}

	/** Another reward makes another version. */
	payByDefault(value: number): Promise<void> {
		this.reward = { ...this.reward, default: value };
		return this.#put();
	}

	async #put(): Promise<void> {
		const { store, key, reward } = this;
		const document = {
			key,
			arms: this.#arms,
			context: { features: [{ name: "v", from: "request", kind: "number" }] },
			// Buckets of a minute.
			policy: { kind: "linucb", alpha: 0.5, explore: 0.1, halfLife: "16m" },
			reward: {
				...reward,
				window: `${WINDOW_MS / 60_000}m`,
				outcomes: [
					{ type: "play", value: 0.3 },
					{ type: "skip", value: -0.2, within: "30s" },
					{ type: "rate" },
				],
			},
		};
		const put = new PutExperiment(store, store);
		this.definition = (await put.execute({ key, document, ...by })).definition;
	}
}
