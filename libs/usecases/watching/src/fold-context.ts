import type { Definition } from "#core/experiment";
import {
	ContextTally,
	LAUNCH_DECISIONS,
	makeLaunch,
	type ObservedDecision,
} from "#core/health";
import { timeOfId } from "#core/log";
import { whyMissing } from "#usecases/deciding";
import { Leisure } from "#usecases/pacing";
import type {
	ContextChanges,
	ContextLog,
	LoggedContext,
	LogPart,
	Run,
	StoredLaunch,
} from "./context-ports.js";

const PAGE = 1_000;
const HOUR_MS = 3_600_000;
/** Before the others have their turn: bounds what a stop waits for. */
const MOST_PARTS = 250;

/** A run as a part is folded: its launch so far, and what the part adds. */
interface Folding {
	readonly run: Run;
	readonly definition: Definition;
	stored: StoredLaunch;
	/** Decisions of the part, while there is no launch. */
	waiting: number;
	readonly hours: Map<number, ContextTally>;
}

/**
 * Folds what is new in the log into counts by run and hour. A part is stored together with how far the log is folded, so that each
 * decision is counted once, whoever is killed or does the same.
 */
export class FoldContext {
	constructor(
		private readonly log: ContextLog,
		private readonly definitions: {
			byIds(ids: readonly number[]): Promise<readonly Definition[]>;
		},
		private readonly isStopped: () => boolean = () => false,
	) {}

	/** Returns whether anything was folded. */
	async execute(): Promise<boolean> {
		let folded = false;
		for (const experiment of await this.log.behind())
			for (let i = 0; i < MOST_PARTS && !this.isStopped(); i++) {
				const part = await this.log.claim(experiment);
				if (part === null) break;
				const changes = await new PartFold(
					this.log,
					this.definitions,
					part,
				).changes();
				folded = (await this.log.commit(part, changes)) || folded;
			}
		return folded;
	}
}

class PartFold {
	readonly #definitions = new Map<number, Definition>();
	readonly #runs = new Map<string, Folding>();
	readonly #leisure = new Leisure();

	constructor(
		private readonly log: ContextLog,
		private readonly history: {
			byIds(ids: readonly number[]): Promise<readonly Definition[]>;
		},
		private readonly part: LogPart,
	) {}

	async changes(): Promise<ContextChanges> {
		await this.#eachPage(this.part, null, undefined, async (rows) => {
			await this.#learn(rows);
			for (const row of rows) {
				if (this.#leisure.isDue) await this.#leisure.rest();
				const folding = await this.#foldingOf(row);
				if (folding === null) continue;
				if (folding.stored.launch === null) folding.waiting += 1;
				else count(folding, row);
			}
		});
		const runs = [...this.#runs.values()];
		for (const folding of runs)
			if (folding.stored.launch === null) await this.#launch(folding);
		return {
			launches: runs.map(({ run, stored }) => ({ run, stored })),
			hours: runs.flatMap(({ run, hours }) =>
				[...hours].map(([hour, { counts }]) => ({ run, hour, counts })),
			),
		};
	}

	/** Launches a run that has enough decisions by now, and counts those behind them. */
	async #launch(folding: Folding): Promise<void> {
		const { run, stored, definition } = folding;
		const decisions = stored.decisions + folding.waiting;
		folding.stored = { ...stored, decisions };
		if (decisions < LAUNCH_DECISIONS) return;
		const since = { ...this.part, after: stored.sinceRevision };
		const rows = await this.log.rows(since, null, LAUNCH_DECISIONS, run);
		// Some were erased, or fell out of the log.
		if (rows.length < LAUNCH_DECISIONS) {
			folding.stored = { ...stored, decisions: rows.length };
			return;
		}
		const times = rows.map(({ id }) => timeOfId(id));
		const launch = makeLaunch(
			definition.experiment.context,
			rows.map(observe),
			{ from: times[0] as number, to: times.at(-1) as number },
		);
		folding.stored = { ...stored, decisions: rows.length, launch };
		const lastId = rows.at(-1)?.id ?? null;
		await this.#eachPage(since, lastId, run, async (later) => {
			for (const row of later) {
				if (this.#leisure.isDue) await this.#leisure.rest();
				count(folding, row);
			}
		});
	}

	async #eachPage(
		part: LogPart,
		afterId: string | null,
		run: Run | undefined,
		use: (rows: readonly LoggedContext[]) => Promise<void>,
	): Promise<void> {
		let after = afterId;
		while (true) {
			const rows = await this.log.rows(part, after, PAGE, run);
			await use(rows);
			if (rows.length < PAGE) return;
			after = rows.at(-1)?.id ?? null;
		}
	}

	async #learn(rows: readonly LoggedContext[]): Promise<void> {
		const unknown = new Set(
			rows
				.map(({ definitionId }) => definitionId)
				.filter((id) => !this.#definitions.has(id)),
		);
		if (unknown.size === 0) return;
		for (const definition of await this.history.byIds([...unknown]))
			this.#definitions.set(definition.id, definition);
	}

	/** Null for what no run is to be judged by: decided while paused or stopped, or without any feature. */
	async #foldingOf(row: LoggedContext): Promise<Folding | null> {
		const definition = this.#definitions.get(row.definitionId);
		if (
			definition === undefined ||
			definition.state !== "running" ||
			definition.experiment.context.features.length === 0
		)
			return null;
		const { version, run } = definition;
		const key = `${version}/${run}`;
		const known = this.#runs.get(key);
		if (known !== undefined) return known;
		const of: Run = { experiment: row.experiment, version, run };
		const folding: Folding = {
			run: of,
			definition,
			stored: (await this.log.launch(of)) ?? {
				sinceRevision: this.part.after,
				decisions: 0,
				launch: null,
			},
			waiting: 0,
			hours: new Map(),
		};
		this.#runs.set(key, folding);
		return folding;
	}
}

function count(
	{ definition, stored, hours }: Folding,
	row: LoggedContext,
): void {
	if (stored.launch === null) return;
	const hour = Math.floor(timeOfId(row.id) / HOUR_MS) * HOUR_MS;
	let tally = hours.get(hour);
	if (tally === undefined) {
		tally = new ContextTally(definition.experiment.context, stored.launch);
		hours.set(hour, tally);
	}
	tally.add(observe(row));
}

function observe(row: LoggedContext): ObservedDecision {
	const { id, context, x } = row;
	return { id, context, x, missing: whyMissing(row) };
}
