import type {
	Clock,
	KeptDecision,
	RepeatableAsk,
	Repeats,
	RequestKey,
	StandingDecision,
	StickyKey,
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
		const { request, sticky, decision } = ask;
		const named = request && this.standing(ask, "request", request.key);
		const stuck =
			sticky &&
			this.standing(ask, sticky.kind, sticky.key, (arm) =>
				sticky.arms.includes(arm),
			);
		const standing = named ?? stuck;
		if (decision !== null && standing === null) {
			const { explanation: _, ...plain } = decision.answer;
			this.put(ask, sticky, { ...decision, answer: plain });
			this.put(ask, request, decision);
		}
		if (decision !== null && request && stuck !== null && named === null) {
			const { answer, row } = stuck;
			const payload =
				sticky?.payloadAt(sticky.arms.indexOf(answer.arm)) ?? answer.payload;
			const again = { ...answer, payload, repeated: true as const };
			this.put(ask, request, { answer: again, row });
		}
		const id = standing?.answer.decisionId;
		if (standing === null || id === decision?.answer.decisionId) return null;
		return this.stored(id as string) ? { ...standing, row: null } : standing;
	}

	private standing(
		{ experiment }: RepeatableAsk,
		kind: StandingDecision["under"],
		key: string,
		may: (arm: string) => boolean = () => true,
	): Kept | null {
		const kept = this.kept.get(JSON.stringify([experiment, kind, key]));
		if (kept === undefined || kept.expiresAt <= this.clock.now()) return null;
		return may(kept.answer.arm) ? kept : null;
	}

	private put(
		{ experiment }: RepeatableAsk,
		key: RequestKey | StickyKey | null,
		decision: KeptDecision,
	): void {
		if (key === null) return;
		const under = "kind" in key ? key.kind : "request";
		this.kept.set(JSON.stringify([experiment, under, key.key]), {
			...decision,
			under,
			requestHash: "hash" in key ? key.hash : null,
			expiresAt: this.clock.now() + key.spanMs,
		});
	}
}
