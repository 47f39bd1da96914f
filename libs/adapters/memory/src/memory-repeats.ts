import type {
	Clock,
	RepeatableAsk,
	Repeats,
	StandingDecision,
} from "#usecases/deciding";

interface Kept extends StandingDecision {
	readonly expiresAt: number;
}

/** What is asked for again, in memory; `stored` says which decisions the log's database has. */
export class MemoryRepeats implements Repeats {
	away = false;
	private readonly kept = new Map<string, Kept>();

	constructor(
		private readonly clock: Clock,
		private readonly stored: (decisionId: string) => boolean = () => false,
	) {}

	async keep(ask: RepeatableAsk): Promise<StandingDecision | null> {
		if (this.away) throw new Error("The database is away.");
		const key = JSON.stringify([ask.experiment, ask.kind, ask.key]);
		const { decision, requestHash, spanMs } = ask;
		const now = this.clock.now();
		const standing = this.kept.get(key);
		if (
			standing !== undefined &&
			standing.expiresAt > now &&
			standing.answer.decisionId !== ask.replaces
		) {
			const id = standing.answer.decisionId;
			if (id === decision?.answer.decisionId) return null;
			return this.stored(id) ? { ...standing, row: null } : standing;
		}
		if (decision !== null)
			this.kept.set(key, { ...decision, requestHash, expiresAt: now + spanMs });
		return null;
	}
}
