import type { Definition } from "#core/experiment";
import type { FeatureHealth } from "#core/health";
import type { ContextAlarms, ContextReads, Run } from "./context-ports.js";
import type { FoldContext } from "./fold-context.js";
import { type ContextHealth, healthOf } from "./read-context-health.js";

export interface NewAlarm extends Run {
	readonly health: FeatureHealth;
}

export interface WatchedContexts {
	/** Of every running experiment with features. */
	readonly contexts: readonly ContextHealth[];
	/** Features that alarm as they did not within the last hour; each is told to one of several who look. */
	readonly alarmed: readonly NewAlarm[];
}

/** One look at the contexts of all running experiments, once the log is folded as far as it goes. */
export class WatchContext {
	constructor(
		private readonly definitions: { all(): Promise<readonly Definition[]> },
		private readonly fold: Pick<FoldContext, "execute">,
		private readonly reads: Pick<ContextReads, "launch" | "counts">,
		private readonly alarms: ContextAlarms,
		private readonly clock: { now(): number },
	) {}

	async execute(): Promise<WatchedContexts> {
		await this.fold.execute();
		const contexts: ContextHealth[] = [];
		const alarmed: NewAlarm[] = [];
		for (const definition of await this.definitions.all()) {
			const { features } = definition.experiment.context;
			if (definition.state !== "running" || features.length === 0) continue;
			const health = await healthOf(definition, this.reads, this.clock.now());
			contexts.push(health);
			alarmed.push(...(await this.#note(health)));
		}
		return { contexts, alarmed };
	}

	async #note({
		experiment,
		version,
		run,
		features,
	}: ContextHealth): Promise<readonly NewAlarm[]> {
		const standing = features.flatMap(({ feature, alarms }) =>
			alarms.map((kind) => ({ feature, kind })),
		);
		if (standing.length === 0) return [];
		const of = { experiment, version, run };
		const noted = await this.alarms.note(of, standing);
		return features
			.filter(({ feature }) => noted.some((alarm) => alarm.feature === feature))
			.map((health) => ({ ...of, health }));
	}
}

/** What an operator reads. */
export function alarmSentence({ experiment, health }: NewAlarm): string {
	return `The context of ${experiment} alarms (${health.alarms.join(", ")}): ${health.feature}. ${health.verdict} See "A context alarms" in docs/runbook.md.`;
}
