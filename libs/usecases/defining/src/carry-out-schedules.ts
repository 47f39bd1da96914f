import { renderInstant, type Schedule } from "#core/experiment";
import { SCHEDULE } from "./own-actors.js";
import type {
	DefinitionAudit,
	DefinitionStore,
	StoredDefinition,
} from "./ports.js";
import { transition } from "./transition.js";

type Act = "start" | "stop";

export interface ScheduleOutcome {
	/** Rows that were written. */
	readonly done: readonly StoredDefinition[];
	/** Drafts and others whose whole span passed while nobody was there: they were not started to be stopped at once. */
	readonly missed: readonly StoredDefinition[];
	readonly failed: readonly { readonly key: string; readonly error: unknown }[];
}

/** Rows of the audit that are read at once. */
const PAGE = 50;
/** What comes later than this says so. */
const LATE_MS = 60_000;

/**
 * Starts and stops experiments at the instants their definitions say, as a person would. An instant counts where it lay ahead when it
 * was declared, and is carried out once, however late:
 *
 * - a start, unless anybody started, paused, resumed or stopped the experiment since the instant was declared
 * - a stop, unless anybody did after the instant itself
 *
 * Any number of processes may do it: each change is made under the experiment's lock, on the row that was judged, or not at all.
 */
export class CarryOutSchedules {
	/** Of current definitions, what there is nothing more to do about: a row never changes, so neither does the judgement. */
	#settled = new Map<number, Set<Act>>();

	constructor(
		private readonly store: Pick<DefinitionStore, "all" | "change">,
		private readonly audit: Pick<DefinitionAudit, "page">,
		/** The database's, by which rows are dated. */
		private readonly clock: { now(): Promise<number> },
	) {}

	async execute(): Promise<ScheduleOutcome> {
		const waiting = (await this.store.all()).filter(
			(definition) => possible(definition).length > 0,
		);
		const settled = new Map<number, Set<Act>>();
		const done: StoredDefinition[] = [];
		const missed: StoredDefinition[] = [];
		const failed: { key: string; error: unknown }[] = [];
		const now = waiting.length > 0 ? await this.clock.now() : 0;
		for (const definition of waiting) {
			const known = this.#settled.get(definition.id) ?? new Set();
			settled.set(definition.id, known);
			for (const act of possible(definition)) {
				if (known.has(act) || !(instantOf(definition, act) <= now)) continue;
				try {
					const judged = await this.judge(definition, act, now);
					if (judged === "missed") missed.push(definition);
					const row =
						judged === "due" ? await this.act(definition, act, now) : null;
					if (row !== null) done.push(row);
					known.add(act);
				} catch (error) {
					failed.push({ key: definition.experiment.key, error });
				}
			}
		}
		this.#settled = settled;
		return { done, missed, failed };
	}

	private async judge(
		current: StoredDefinition,
		act: Act,
		now: number,
	): Promise<"due" | "missed" | "settled"> {
		const instant = instantOf(current, act);
		for await (const row of this.since(current, act)) {
			const acted = !["create", "edit", "rollback"].includes(row.action);
			if (acted && (act === "start" || row.createdAt >= instant))
				return "settled";
			// The oldest of these rows comes last: it declared the instant.
			if (row.declares)
				return row.createdAt >= instant
					? "settled"
					: this.span(current, act, now);
		}
		return "settled";
	}

	private span(
		current: StoredDefinition,
		act: Act,
		now: number,
	): "due" | "missed" {
		return act === "start" && instantOf(current, "stop") <= now
			? "missed"
			: "due";
	}

	/** The rows back to that which declared the instant, newest first. */
	private async *since(
		current: StoredDefinition,
		act: Act,
	): AsyncGenerator<StoredDefinition & { readonly declares: boolean }> {
		const instant = instantOf(current, act);
		let row = current;
		for (;;) {
			const { key } = row.experiment;
			const older = await this.audit.page(key, row.id, PAGE);
			for (const before of older) {
				const declares = instantOf(before, act) !== instant;
				yield { ...row, declares };
				if (declares) return;
				row = before;
			}
			if (older.length < PAGE) {
				yield { ...row, declares: true };
				return;
			}
		}
	}

	/** Null where the experiment is another one by now: the next look judges that. */
	private async act(
		judged: StoredDefinition,
		act: Act,
		now: number,
	): Promise<StoredDefinition | null> {
		const { key } = judged.experiment;
		const instant = instantOf(judged, act);
		let acted = false;
		const row = await this.store.change(key, (current) => {
			acted = current?.id === judged.id;
			if (current === null || !acted) return null;
			const why = `schedule.${act} is ${renderInstant(instant)}${lateness(now - instant)}`;
			return transition(current, act, { actor: SCHEDULE, why });
		});
		return acted ? row : null;
	}
}

/** What a schedule may do in the experiment's state, an instant for it given. */
function possible(definition: StoredDefinition): Act[] {
	const { state } = definition;
	const acts: Act[] = [];
	if (state !== "running") acts.push("start");
	if (state === "running" || state === "paused") acts.push("stop");
	return acts.filter((act) => instantOf(definition, act) < Infinity);
}

function instantOf({ experiment }: StoredDefinition, act: Act): number {
	const { startAt, stopAt }: Schedule = experiment.schedule ?? {};
	return (act === "start" ? startAt : stopAt) ?? Infinity;
}

function lateness(lateMs: number): string {
	if (lateMs < LATE_MS) return "";
	const minutes = Math.round(lateMs / 60_000);
	const hours = Math.floor(minutes / 60);
	const said = hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
	return `; done ${said} late, since no learner was there before`;
}
