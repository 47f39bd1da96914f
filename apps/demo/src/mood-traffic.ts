import type { Track } from "./catalogue.js";
import type { Decision, OutcomeEvent } from "./contract.js";
import { type Listener, listen, makeListener } from "./listeners.js";
import { parseRecipe, tracksOf } from "./recipe.js";
import type { Traffic, Turn } from "./traffic.js";

/** Playlists of one session. */
export const PLAYLISTS = 4;
export const LISTENERS = 1000;
/** Listeners whose session is under way at once. */
const PRESENT = 150;
/** Between what a listener did and the next question, so that the live counts hold it: milliseconds. */
const BREATH = 250;

interface Session {
	readonly listener: Listener;
	playlist: number;
	/** Milliseconds since the epoch. */
	readyAt: number;
	/** The set of outcomes that must be learned before the next question; −1 for none. */
	after: number;
}

/** Simulated, seeded listeners: each asks for a few playlists in a row, plays what fits the mood and skips the rest. */
export class MoodTraffic implements Traffic {
	readonly experiment = "mood-playlist";
	readonly size: number;
	private arrived = 0;
	private present = 0;
	private readonly waiting: Session[] = [];
	private readonly tracks = new Map<string, readonly Track[]>();

	constructor(
		private readonly seed: string,
		private readonly catalogue: ReadonlyMap<number, Track>,
		private readonly listeners = LISTENERS,
		/** Milliseconds since the epoch. */
		private readonly clock: () => number = Date.now,
	) {
		this.size = listeners * PLAYLISTS;
	}

	next(now: number, learned: number): Turn | "nobody" | "over" {
		if (this.present < PRESENT && this.arrived < this.listeners)
			return this.arrive(now);
		const first = this.waiting[0];
		if (first === undefined) return this.present === 0 ? "over" : "nobody";
		if (first.readyAt > now || first.after >= learned) return "nobody";
		this.waiting.shift();
		return this.ask(first);
	}

	private arrive(now: number): Turn {
		const listener = makeListener(this.seed, this.arrived, PLAYLISTS);
		this.arrived += 1;
		this.present += 1;
		const events = listener.before.map(({ type, secondsAgo }, i) => ({
			id: `${listener.unit}.before.${i}`,
			type,
			at: Math.round(now - secondsAgo * 1000),
			unit: listener.unit,
			session: listener.unit,
		}));
		const session = { listener, playlist: 0, readyAt: now, after: -1 };
		return { kind: "signals", events, sent: () => this.wait(session) };
	}

	private ask(session: Session): Turn {
		const { unit, hour, device, headphones, activity } = session.listener;
		const context = { hour, device, headphones, activity };
		return {
			kind: "ask",
			request: { experiment: this.experiment, unit, session: unit, context },
			outcomes: (decision, at) => this.outcomes(session, decision, at),
			sent: (number) => {
				session.playlist += 1;
				session.after = number;
				if (session.playlist < PLAYLISTS) this.wait(session);
				else this.present -= 1;
			},
		};
	}

	private wait(session: Session): void {
		session.readyAt = this.clock() + BREATH;
		this.waiting.push(session);
	}

	private outcomes(
		session: Session,
		{ decisionId, arm, payload }: Decision,
		at: number,
	): OutcomeEvent[] {
		const { listener, playlist } = session;
		const tracks =
			this.tracks.get(arm) ?? tracksOf(parseRecipe(payload), this.catalogue);
		this.tracks.set(arm, tracks);
		const common = {
			at,
			unit: listener.unit,
			session: listener.unit,
			decisionId,
		};
		return [
			{ id: `${decisionId}.shown`, type: "impression", ...common },
			...listen(this.seed, listener, playlist, tracks).map(
				({ type, track }, slot) => ({
					id: `${decisionId}.${slot}`,
					type,
					item: String(track),
					slot,
					...common,
				}),
			),
		];
	}
}
