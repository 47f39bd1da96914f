import type { Definition } from "#core/experiment";
import { addCounts, type ContextCounts } from "#core/health";
import type {
	ContextAlarm,
	ContextAlarms,
	ContextChanges,
	ContextLog,
	ContextReads,
	LoggedContext,
	LogPart,
	Run,
	StoredLaunch,
} from "#usecases/watching";

const nameOf = ({ experiment, version, run }: Run) =>
	JSON.stringify([experiment, version, run]);

/** Twin of the folded contexts: a row of the log is a revision of its own, whose number is its place from 1 on. */
export class MemoryContexts implements ContextLog, ContextReads, ContextAlarms {
	readonly launches = new Map<string, StoredLaunch>();
	readonly hours = new Map<string, Map<number, ContextCounts>>();
	readonly #folded = new Map<string, number>();
	readonly #noted = new Set<string>();

	/** @param partSize revisions of a part */
	constructor(
		private readonly log: () => readonly LoggedContext[],
		private readonly definitions: {
			byIds(ids: readonly number[]): Promise<readonly Definition[]>;
		},
		private readonly partSize = 100,
	) {}

	async behind(): Promise<readonly string[]> {
		const keys = new Set(this.log().map(({ experiment }) => experiment));
		return [...keys].filter(
			(key) => (this.#folded.get(key) ?? 0) < this.log().length,
		);
	}

	async claim(experiment: string): Promise<LogPart | null> {
		const after = this.#folded.get(experiment) ?? 0;
		const to = Math.min(after + this.partSize, this.log().length);
		return to === after ? null : { experiment, after, to };
	}

	async rows(
		{ experiment, after, to }: LogPart,
		afterId: string | null,
		most: number,
		run?: Run,
	): Promise<readonly LoggedContext[]> {
		const rows = this.log()
			.slice(after, to)
			.filter(
				(row) => row.experiment === experiment && row.id > (afterId ?? ""),
			)
			.sort((a, b) => (a.id < b.id ? -1 : 1));
		if (run === undefined) return rows.slice(0, most);
		const ids = [...new Set(rows.map(({ definitionId }) => definitionId))];
		const own = (await this.definitions.byIds(ids)).filter(
			({ version, run: start, state }) =>
				version === run.version && start === run.run && state === "running",
		);
		return rows
			.filter((row) => own.some(({ id }) => id === row.definitionId))
			.slice(0, most);
	}

	async launch(run: Run): Promise<StoredLaunch | null> {
		return this.launches.get(nameOf(run)) ?? null;
	}

	async commit(
		{ experiment, after, to }: LogPart,
		{ launches, hours }: ContextChanges,
	): Promise<boolean> {
		if ((this.#folded.get(experiment) ?? 0) !== after) return false;
		this.#folded.set(experiment, to);
		for (const { run, stored } of launches)
			this.launches.set(nameOf(run), stored);
		for (const { run, hour, counts } of hours) {
			const own = this.hours.get(nameOf(run)) ?? new Map();
			own.set(hour, addCounts(own.get(hour) ?? null, counts));
			this.hours.set(nameOf(run), own);
		}
		return true;
	}

	async counts(run: Run, fromHour: number): Promise<ContextCounts | null> {
		const own = [...(this.hours.get(nameOf(run)) ?? [])];
		return own
			.filter(([hour]) => hour >= fromHour)
			.reduce<ContextCounts | null>(
				(all, [, counts]) => addCounts(all, counts),
				null,
			);
	}

	async folded(
		experiment: string,
	): Promise<{ readonly revision: number; readonly newest: number }> {
		return {
			revision: this.#folded.get(experiment) ?? 0,
			newest: this.log().length,
		};
	}

	async newestContexts(
		experiment: string,
		most: number,
	): Promise<readonly LoggedContext["context"][]> {
		return this.log()
			.filter((row) => row.experiment === experiment)
			.reverse()
			.slice(0, most)
			.map(({ context }) => context);
	}

	async note(
		run: Run,
		standing: readonly ContextAlarm[],
	): Promise<readonly ContextAlarm[]> {
		return standing.filter(({ feature, kind }) => {
			const name = JSON.stringify([nameOf(run), feature, kind]);
			if (this.#noted.has(name)) return false;
			this.#noted.add(name);
			return true;
		});
	}
}
