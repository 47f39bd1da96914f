import type { LiveFeature, LiveName, LiveNumber } from "#core/experiment";
import { type Cells, Layout } from "./cells.js";
import type { EventNumbers } from "./event-numbers.js";
import { Frame } from "./frame.js";
import type { ItemVectors } from "./item-vectors.js";
import type { KeyHash } from "./key-hash.js";
import { PlayedItems } from "./played-items.js";
import {
	Counts,
	DistinctSet,
	Latest,
	LatestNumber,
	Sums,
	type Tally,
} from "./tallies.js";

export type LiveValue = number | readonly number[];

/** A feature's value from what is kept of its key; null where there is none. */
export type Reading = (cells: Cells, now: number) => LiveValue | null;

/** What is kept of each key of one kind: features that need the same tally share it. */
export class Shelf {
	readonly layout = new Layout();
	readonly #hash: KeyHash;
	readonly #numbers: EventNumbers;
	readonly #frames = new Map<number, Frame>();
	readonly #tallies = new Map<string, Tally>();
	readonly #byEvent = new Map<string, Tally[]>();

	constructor(hash: KeyHash, numbers: EventNumbers) {
		this.#hash = hash;
		this.#numbers = numbers;
	}

	/** What an event of the type is written to. */
	tallies(event: string): readonly Tally[] | undefined {
		return this.#byEvent.get(event);
	}

	counts({ event, windowMs }: LiveFeature, of: LiveNumber | null): Counts {
		const place = of === null ? null : this.#numbers.placeOf(of);
		return this.#shared(
			event,
			`counts ${of} ${windowMs}`,
			() => new Counts(this.#frame(windowMs), place, this.layout),
		);
	}

	sums({ event, windowMs }: LiveFeature, of: LiveNumber): Sums {
		const place = this.#numbers.placeOf(of);
		return this.#shared(
			event,
			`sums ${of} ${windowMs}`,
			() => new Sums(this.#frame(windowMs), place, this.layout),
		);
	}

	latest({ event }: LiveFeature): Latest {
		return this.#shared(event, "latest", () => new Latest(this.layout));
	}

	latestNumber({ event }: LiveFeature, of: LiveNumber): LatestNumber {
		const place = this.#numbers.placeOf(of);
		return this.#shared(
			event,
			`latest ${of}`,
			() => new LatestNumber(place, this.layout),
		);
	}

	distinct({ event, windowMs }: LiveFeature, of: LiveName): DistinctSet {
		return this.#shared(
			event,
			`distinct ${of} ${windowMs}`,
			() => new DistinctSet(this.#frame(windowMs), of, this.#hash, this.layout),
		);
	}

	played({ event }: LiveFeature): PlayedItems {
		return this.#shared(
			event,
			"played",
			() => new PlayedItems(this.#hash, this.layout),
		);
	}

	#frame(windowMs: number): Frame {
		const known = this.#frames.get(windowMs);
		if (known !== undefined) return known;
		const frame = new Frame(windowMs, this.layout);
		this.#frames.set(windowMs, frame);
		return frame;
	}

	/** One tally per event type and name; the name holds all that the tally is made of. */
	#shared<T extends Tally>(event: string, name: string, make: () => T): T {
		const id = `${event} ${name}`;
		const known = this.#tallies.get(id);
		if (known !== undefined) return known as T;
		const tally = make();
		this.#tallies.set(id, tally);
		this.#byEvent.set(event, [...(this.#byEvent.get(event) ?? []), tally]);
		return tally;
	}
}

/** What each aggregate writes (a tally on the shelf) and how it reads it. */
export function readingOf(
	feature: LiveFeature,
	shelf: Shelf,
	vectors: ItemVectors | null,
): Reading {
	const { aggregate, windowMs } = feature;
	// The definition's parser lets no other fields through.
	const of = (feature.of ?? "value") as LiveNumber;
	switch (aggregate) {
		case "count": {
			const counts = shelf.counts(feature, null);
			return (cells, now) => counts.read(cells, now);
		}
		case "rate": {
			const counts = shelf.counts(feature, null);
			const minutes = windowMs / 60_000;
			return (cells, now) => counts.read(cells, now) / minutes;
		}
		case "sum": {
			const sums = shelf.sums(feature, of);
			return (cells, now) => sums.read(cells, now);
		}
		case "mean": {
			const sums = shelf.sums(feature, of);
			const counts = shelf.counts(feature, of);
			return (cells, now) => {
				const count = counts.read(cells, now);
				return count === 0 ? null : sums.read(cells, now) / count;
			};
		}
		case "last": {
			const latest = shelf.latestNumber(feature, of);
			return (cells, now) => latest.readAfter(cells, now - windowMs);
		}
		case "timeSince": {
			const latest = shelf.latest(feature);
			return (cells, now) => {
				const since = Math.max(0, now - latest.read(cells));
				return Math.min(windowMs, since) / 1000;
			};
		}
		case "distinct": {
			const names = shelf.distinct(feature, feature.of as LiveName);
			return (cells, now) => names.read(cells, now);
		}
		case "meanVector": {
			const played = shelf.played(feature);
			if (vectors === null || vectors.length !== feature.length)
				return () => null;
			return (cells, now) => played.meanAfter(cells, now - windowMs, vectors);
		}
	}
}
