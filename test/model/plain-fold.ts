// Longer than 300 lines: the whole model in one place, to be read beside DESIGN §5 and the protocol.
import type { RewardForm } from "./commands.js";

/** What the model must know of what is sent; told in plain values, and by nothing of the product. */
export interface PlainDecision {
	readonly id: string;
	readonly idTime: number;
	readonly decidedAt: number;
	readonly unit: string;
	readonly group: "policy" | "control" | "outside";
	readonly version: number;
	readonly arm: string;
	readonly v: number;
	readonly reward: RewardForm;
}

export interface PlainEvent {
	readonly id: string;
	readonly type: string;
	readonly at: number;
	readonly unit: string;
	readonly decisionId?: string;
	/** The time that the decision's id holds. */
	readonly idTime?: number;
	readonly value?: number;
	readonly retracts?: string;
}

export type PlainItem =
	| { readonly decision: PlainDecision }
	| { readonly event: PlainEvent }
	/** What cannot be understood, and whom it names. */
	| { readonly poison: true; readonly unit: string };

export interface PlainMessage {
	readonly position: number;
	readonly storedAt: number;
	readonly items: readonly PlainItem[];
}

type Kind = "decision" | "event";

export const WINDOW_MS = 20 * 60_000;
export const WITHIN_MS = 30_000;
export const BUCKET_MS = 60_000;
const FIVE_MINUTES = 5 * 60_000;
const EARNS: { readonly [type: string]: number | "its own value" } = {
	play: 0.3,
	skip: -0.2,
	rate: "its own value",
};

/** A multiple of 2⁻¹², ties upward (DESIGN §5). */
const q = (value: number): number => Math.round(4096 * value) / 4096;

/** The learner's world as a plain fold: what is stored is a set, and everything else is computed from it when asked for. */
export class PlainFold {
	readonly decisions = new Map<string, PlainDecision>();
	readonly events = new Map<string, PlainEvent>();
	readonly signals = new Map<string, PlainEvent>();
	/** Dead letters by position and place, with the unit they name; without where none of their words are kept. */
	readonly letters = new Map<
		string,
		{ unit: string | null; verdict: string }
	>();
	readonly tombstones = new Map<string, number>();
	readonly #closed = new Set<string>();
	/** Verdicts that stay whatever comes: `kind verdict`. */
	readonly #final = new Map<string, number>();
	deliveries = 0;

	/** A batch that was committed. */
	commit(messages: readonly PlainMessage[]): void {
		for (const decisionsFirst of [true, false])
			for (const { position, storedAt, items } of messages)
				items.forEach((item, place) => {
					if ("decision" in item !== decisionsFirst) return;
					this.deliveries++;
					this.#take(item, `${position} ${place}`, storedAt);
				});
	}

	#take(item: PlainItem, source: string, storedAt: number): void {
		if ("poison" in item) {
			if (this.#isErased(item.unit, storedAt)) this.#finally("event", "erased");
			else this.#refuse("event", source, item.unit, "malformed");
			return;
		}
		if ("decision" in item) {
			const { decision } = item;
			const { id, unit, idTime } = decision;
			if (this.#isErased(unit, Math.min(idTime, storedAt)))
				this.#finally("decision", "erased");
			else if (idTime > storedAt + FIVE_MINUTES)
				this.#refuse("decision", source, unit, "future");
			else if (this.decisions.has(id)) this.#finally("decision", "duplicate");
			else this.decisions.set(id, decision);
			return;
		}
		const { event } = item;
		const { unit, at, idTime = at } = event;
		if (this.#isErased(unit, Math.min(idTime, storedAt))) {
			this.#finally("event", "erased");
			return;
		}
		if (Math.max(at, idTime) > storedAt + FIVE_MINUTES) {
			this.#refuse("event", source, unit, "future");
			return;
		}
		const day = Math.floor(at / 86_400_000);
		const [set, key] =
			event.decisionId === undefined
				? [this.signals, `${unit} ${day} ${event.id}`]
				: [this.events, `${event.decisionId} ${event.id}`];
		const known = set.get(key);
		if (known === undefined) set.set(key, event);
		else if (JSON.stringify(known) === JSON.stringify(event))
			this.#finally("event", "duplicate");
		else this.#refuse("event", source, unit, "conflict");
	}

	#isErased(unit: string, time: number): boolean {
		const erasedAt = this.tombstones.get(unit);
		return erasedAt !== undefined && time <= erasedAt;
	}

	#refuse(kind: Kind, source: string, unit: string, verdict: string): void {
		if (this.letters.has(source)) this.#finally(kind, "duplicate");
		else {
			const isTold = verdict === "conflict" || !this.tombstones.has(unit);
			this.letters.set(source, { unit: isTold ? unit : null, verdict });
			this.#finally(kind, verdict);
		}
	}

	#finally(kind: Kind, verdict: string, count = 1): void {
		const key = `${kind} ${verdict}`;
		this.#final.set(key, (this.#final.get(key) ?? 0) + count);
	}

	erase(unit: string, erasedAt: number): void {
		this.tombstones.set(unit, erasedAt);
		for (const [id, decision] of this.decisions) {
			if (decision.unit !== unit) continue;
			this.decisions.delete(id);
			this.#closed.delete(id);
			this.#finally("decision", "erased");
			this.#forget(this.events, (event) => event.decisionId === id);
		}
		this.#forget(this.events, (event) => event.unit === unit);
		this.#forget(this.signals, (event) => event.unit === unit);
		for (const [source, letter] of this.letters)
			if (letter.unit === unit) this.letters.delete(source);
	}

	#forget(
		set: Map<string, PlainEvent>,
		goes: (event: PlainEvent) => boolean,
	): void {
		for (const [key, event] of set)
			if (goes(event)) {
				set.delete(key);
				this.#finally("event", "erased");
			}
	}

	closeWindows(now: number): void {
		for (const { id, decidedAt } of this.openWindows())
			if (decidedAt + WINDOW_MS + FIVE_MINUTES <= now) this.#closed.add(id);
	}

	/** Decisions that do not teach before their window is closed. */
	openWindows(): PlainDecision[] {
		return [...this.decisions.values()].filter(
			({ id, group, reward }) =>
				reward.learn === "windowClose" &&
				group !== "outside" &&
				!this.#closed.has(id),
		);
	}

	eventsOf(id: string): PlainEvent[] {
		return [...this.events.values()].filter((one) => one.decisionId === id);
	}

	/** E and R of a decision and the verdicts of its events, by id (DESIGN §5, PROTOCOL "State is recomputed"). */
	stateOf(decision: PlainDecision): {
		exposed: 0 | 1;
		reward: number;
		verdicts: Map<string, string>;
	} {
		const { decidedAt, unit, group, reward } = decision;
		const verdicts = new Map<string, string>();
		const all = this.eventsOf(decision.id);
		const own = all.filter((event) => event.unit === unit);
		for (const event of all)
			if (event.unit !== unit) verdicts.set(event.id, "wrong unit");
		if (group === "outside") {
			for (const { id } of own) verdicts.set(id, "experiment stopped");
			return { exposed: 0, reward: 0, verdicts };
		}
		const inTime = own.filter((event) => {
			if (event.at > decidedAt + WINDOW_MS) verdicts.set(event.id, "late");
			else if (event.at < decidedAt - FIVE_MINUTES)
				verdicts.set(event.id, "early");
			return !verdicts.has(event.id);
		});
		const takenBack = new Set<string>();
		for (const retract of inTime.filter(({ type }) => type === "retract")) {
			const target = own.find(({ id }) => id === retract.retracts);
			const works = target !== undefined && target.type !== "retract";
			verdicts.set(retract.id, works ? "applied" : "no value");
			if (works) takenBack.add(target.id);
		}
		const standing = inTime.filter((event) => {
			if (event.type === "retract") return false;
			if (takenBack.has(event.id)) verdicts.set(event.id, "retracted");
			return !takenBack.has(event.id);
		});
		let shown = false;
		const earned: { id: string; at: number; value: number }[] = [];
		for (const event of standing) {
			const at = Math.max(event.at, decidedAt);
			const listed = EARNS[event.type];
			const value = listed === "its own value" ? event.value : listed;
			if (listed !== undefined && value === undefined) {
				verdicts.set(event.id, "no value");
				continue;
			}
			shown = true;
			const tooLate = event.type === "skip" && at > decidedAt + WITHIN_MS;
			if (value === undefined || tooLate) verdicts.set(event.id, "no value");
			else earned.push({ id: event.id, at, value: q(value) });
		}
		const waits =
			reward.learn === "windowClose" && !this.#closed.has(decision.id);
		const r = this.#combine(reward, earned, waits, verdicts);
		const exposed =
			reward.learn === "decision" || (shown && !waits)
				? (1 as const)
				: (0 as const);
		return { exposed, reward: exposed === 1 ? r : 0, verdicts };
	}

	#combine(
		reward: RewardForm,
		earned: { id: string; at: number; value: number }[],
		waits: boolean,
		verdicts: Map<string, string>,
	): number {
		if (earned.length === 0) return q(reward.default);
		const inOrder = [...earned].sort(
			(a, b) => a.at - b.at || (a.id < b.id ? -1 : 1),
		);
		const most = Math.max(...inOrder.map(({ value }) => value));
		const chosen = {
			sum: inOrder,
			first: inOrder.slice(0, 1),
			last: inOrder.slice(-1),
			max: inOrder.filter(({ value }) => value === most).slice(0, 1),
		}[reward.combine];
		let total = 0;
		for (const { value } of chosen) total += value;
		const [low, high] = reward.range;
		const clipped = Math.min(q(high), Math.max(q(low), total));
		for (const one of earned)
			verdicts.set(
				one.id,
				!chosen.includes(one)
					? "no value"
					: waits
						? "not exposed"
						: clipped === total
							? "applied"
							: "out of range",
			);
		return clipped;
	}

	/** Ids of the decisions that teach. */
	taught(): ReadonlySet<string> {
		const all = [...this.decisions.values()];
		const teach = all.filter((one) => this.stateOf(one).exposed === 1);
		return new Set(teach.map(({ id }) => id));
	}

	/** [n, b, lower triangle of A by rows] by version, arm and bucket. */
	sums(): Map<string, number[]> {
		const sums = new Map<string, number[]>();
		for (const decision of this.decisions.values()) {
			const { exposed, reward } = this.stateOf(decision);
			if (exposed === 0) continue;
			const x = [1, q(Math.max(-8, Math.min(8, decision.v)))] as const;
			const bucket = Math.floor(decision.idTime / BUCKET_MS);
			const key = `${decision.version} ${decision.arm} ${bucket}`;
			const gains = [
				1,
				reward * x[0],
				reward * x[1],
				x[0] * x[0],
				x[1] * x[0],
				x[1] * x[1],
			];
			const before = sums.get(key) ?? gains.map(() => 0);
			sums.set(
				key,
				gains.map((gain, i) => gain + (before[i] as number)),
			);
		}
		return sums;
	}

	/** How many deliveries have which verdict, by experiment where that is certain: what was refused or known is not told apart. */
	counts(): Map<string, number> {
		const counts = new Map<string, number>();
		const add = (key: string, count = 1) =>
			counts.set(key, (counts.get(key) ?? 0) + count);
		for (const [key, count] of this.#final) add(key, count);
		for (const decision of this.decisions.values()) {
			add("its decision logged");
			for (const verdict of this.stateOf(decision).verdicts.values())
				add(`its event ${verdict}`);
		}
		for (const { decisionId } of this.events.values())
			if (!this.decisions.has(decisionId as string))
				add("event unknown decision (waiting)");
		if (this.signals.size > 0) add("event signal", this.signals.size);
		return counts;
	}
}
