import { setTimeout as sleep } from "node:timers/promises";
import { type LiveFeature, RETRACT } from "#core/experiment";
import type { ErasedUnit, LiveAsk, LiveValue, LiveWindows } from "#core/live";
import type { DecisionRow, Event } from "#core/log";
import {
	featureProblem,
	type Gate,
	type PrivacyPolicy,
	type StandingConsent,
} from "#core/privacy";
import type { Consented, Consents } from "./ports.js";

export interface GatedFeature {
	readonly gate: Gate;
	readonly live: LiveFeature;
}

export interface Gatekeeper {
	readonly policy: PrivacyPolicy;
	readonly consents: Consents;
}

interface Heard {
	readonly event: Event;
	readonly storedAt: number;
}

interface Room {
	readonly gate: Gate;
	readonly windows: LiveWindows;
}

/** Events that wait until it is told whether they are allowed. */
const MOST_WAITING = 100_000;
const AT_ONCE = 1_000;
const LOOK_UP_MS = 5_000;
const RETRY_MS = 250;

/**
 * By whom windows know a unit that allows its events to be counted: another one after each change of its consent, so that what was
 * counted before is found no more, in no decider, however late that hears of the change.
 */
export function unitUnder(unit: string, since: number): string {
	// Units hold no line breaks.
	return since === 0 ? unit : `${unit}\n${since}`;
}

/**
 * Windows over live features that need an event's unit to allow it, by what is stored of its consent when it is heard: one set a gate.
 * An event from before the consent began to stand does not count, so a window that is filled anew has no more than one that was there all
 * the time. heard → counted or passed over, where the consent is in memory; else heard → waiting → counted or passed over. Where too many
 * wait, what is passed over unjudged would be missing from a count: no feature is read until no window reaches back to it.
 */
export class GatedWindows {
	readonly #rooms = new Map<string, Room>();
	readonly #types: ReadonlySet<string>;
	readonly #waiting = new Map<string, Heard[]>();
	readonly #keeper: Gatekeeper;
	#waitingEvents = 0;
	#lostAt = Number.NEGATIVE_INFINITY;
	#draining: Promise<void> = Promise.resolve();
	#isClosed = false;

	constructor(
		features: readonly GatedFeature[],
		windowsOver: (features: readonly LiveFeature[]) => LiveWindows,
		keeper: Gatekeeper,
	) {
		this.#keeper = keeper;
		this.#types = new Set(features.map(({ live }) => live.event));
		for (const { gate } of features) {
			if (this.#rooms.has(gate.key)) continue;
			const own = features.filter((other) => other.gate.key === gate.key);
			const windows = windowsOver(own.map(({ live }) => live));
			this.#rooms.set(gate.key, { gate, windows });
		}
	}

	get asksDecisions(): boolean {
		return [...this.#rooms.values()].some(
			({ windows }) => windows.asksDecisions,
		);
	}

	serves({ gate, live }: GatedFeature): boolean {
		return this.#rooms.get(gate.key)?.windows.serves(live) === true;
	}

	decide(decision: DecisionRow): void {
		for (const { windows } of this.#rooms.values()) windows.decide(decision);
	}

	hear(event: Event, storedAt: number): void {
		if (!this.#types.has(event.type) && event.type !== RETRACT) return;
		const { unit } = event;
		const others = this.#waiting.get(unit);
		if (others === undefined) {
			const stored = this.#keeper.consents.lookUp(unit, LOOK_UP_MS);
			if (stored !== null && !(stored instanceof Promise)) {
				this.#judge(stored, event, storedAt);
				return;
			}
		}
		if (this.#waitingEvents >= MOST_WAITING) {
			this.#lostAt = Math.max(this.#lostAt, storedAt);
			return;
		}
		this.#waitingEvents++;
		if (others !== undefined) others.push({ event, storedAt });
		else this.#waiting.set(unit, [{ event, storedAt }]);
		if (this.#waitingEvents === 1) this.#draining = this.#drain();
	}

	read(
		feature: LiveFeature,
		ask: LiveAsk,
		now: number,
		{ gate, since }: Consented,
	): LiveValue | null | undefined {
		if (now - this.#lostAt <= 1.1 * feature.windowMs) return undefined;
		const unit = unitUnder(ask.unit, since);
		return this.#rooms
			.get(gate)
			?.windows.read(feature, unit === ask.unit ? ask : { ...ask, unit }, now);
	}

	leave(now: number): void {
		for (const { windows } of this.#rooms.values()) windows.leave(now);
	}

	forget(units: readonly ErasedUnit[]): void {
		for (const { windows } of this.#rooms.values()) windows.forget(units);
	}

	/** Resolves when nothing heard so far waits. */
	async settled(): Promise<void> {
		await this.#draining;
	}

	close(): void {
		this.#isClosed = true;
		this.#waiting.clear();
	}

	async #drain(): Promise<void> {
		while (this.#waiting.size > 0 && !this.#isClosed) {
			const units = [...this.#waiting.keys()].slice(0, AT_ONCE);
			const found = await Promise.all(
				units.map((unit) => this.#keeper.consents.lookUp(unit, LOOK_UP_MS)),
			);
			units.forEach((unit, i) => {
				const stored = found[i];
				if (stored) this.#admit(unit, stored);
			});
			if (found.every((stored) => stored === null))
				await sleep(RETRY_MS, undefined, { ref: false });
		}
	}

	#admit(unit: string, stored: StandingConsent): void {
		const heard = this.#waiting.get(unit) ?? [];
		this.#waiting.delete(unit);
		this.#waitingEvents -= heard.length;
		for (const { event, storedAt } of heard)
			this.#judge(stored, event, storedAt);
	}

	#judge(stored: StandingConsent, event: Event, storedAt: number): void {
		if (storedAt < stored.since) return;
		const unit = unitUnder(event.unit, stored.since);
		for (const { gate, windows } of this.#rooms.values())
			if (featureProblem(this.#keeper.policy, stored, gate) === null)
				windows.hear({ ...event, unit }, storedAt);
	}
}
