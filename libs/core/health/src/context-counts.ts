import { compileEncoder, hasValue, layOut } from "#core/context";
import type { ContextSchema, Feature, JsonValue } from "#core/experiment";
import { binCount, binOf, isDeclared, valueReader } from "./bins.js";
import type { FeatureLaunch, Launch, LaunchPart } from "./launch.js";
import { MISSING_REASONS, type ObservedDecision } from "./observed-decision.js";

/** Of some decisions; plain numbers, so that counts of others can be added in any order. */
export interface ContextCounts {
	readonly decisions: number;
	/** Decisions whose x was made again from their context. */
	readonly remade: number;
	/** In the order of the definition. */
	readonly features: readonly FeatureCounts[];
}

export interface FeatureCounts {
	/** Decisions without a value, one count a reason. */
	readonly missing: readonly number[];
	/** Values that are no declared level. */
	readonly unseen: number;
	/** Values by bin, of each part that has bins; none of one that has not. */
	readonly bins: readonly (readonly number[])[];
	/** Decisions made again of which a coordinate of the feature differs, and by how much at most. */
	readonly differing: number;
	readonly largest: number;
}

/** Of two sets of decisions that have none in common; `a` null: of none. */
export function addCounts(
	a: ContextCounts | null,
	b: ContextCounts,
): ContextCounts {
	if (a === null) return b;
	return {
		decisions: a.decisions + b.decisions,
		remade: a.remade + b.remade,
		features: b.features.map((feature, i) =>
			addFeature(a.features[i], feature),
		),
	};
}

function addFeature(
	a: FeatureCounts | undefined,
	b: FeatureCounts,
): FeatureCounts {
	if (a === undefined) return b;
	return {
		missing: addLists(a.missing, b.missing),
		unseen: a.unseen + b.unseen,
		bins: b.bins.map((bins, part) => addLists(a.bins[part] ?? [], bins)),
		differing: a.differing + b.differing,
		largest: Math.max(a.largest, b.largest),
	};
}

function addLists(a: readonly number[], b: readonly number[]): number[] {
	return b.map((count, i) => count + (a[i] ?? 0));
}

/** Of four decisions x is made again for one, told by its id, so that all who count choose the same. */
const REMADE_OF = 4;

/** Whether a decision is one of those whose x is made again. The last digit of a UUIDv7 is random. */
export function isRemade({ id }: Pick<ObservedDecision, "id">): boolean {
	return Number.parseInt(id.at(-1) ?? "0", 16) % REMADE_OF === 0;
}

interface Cell {
	readonly feature: Feature;
	readonly read: ReturnType<typeof valueReader> | null;
	readonly parts: readonly (LaunchPart | null)[];
	readonly offset: number;
	readonly length: number;
	readonly counts: {
		missing: number[];
		unseen: number;
		bins: number[][];
		differing: number;
		largest: number;
	};
}

/** Counts the decisions of one version, in the bins of their run's launch. */
export class ContextTally {
	#decisions = 0;
	#remade = 0;
	readonly #cells: readonly Cell[];
	readonly #encoder;

	constructor(schema: ContextSchema, launch: Launch) {
		this.#encoder = compileEncoder(schema);
		this.#cells = layOut(schema).spans.map((span, i) =>
			cellOf(span.feature, span, launch.features[i]),
		);
	}

	add(decision: ObservedDecision): void {
		this.#decisions += 1;
		for (const cell of this.#cells) countValue(cell, decision);
		if (!isRemade(decision)) return;
		this.#remade += 1;
		const { x } = this.#encoder.encode(decision.context);
		for (const cell of this.#cells) compare(cell, x, decision.x);
	}

	get counts(): ContextCounts {
		return {
			decisions: this.#decisions,
			remade: this.#remade,
			features: this.#cells.map(({ counts }) => counts),
		};
	}
}

function cellOf(
	feature: Feature,
	{ offset, length }: { readonly offset: number; readonly length: number },
	launch: FeatureLaunch | undefined,
): Cell {
	const parts = launch?.parts ?? [];
	return {
		feature,
		read: hasValue(feature) ? valueReader(feature) : null,
		parts,
		offset,
		length,
		counts: {
			missing: MISSING_REASONS.map(() => 0),
			unseen: 0,
			bins: parts.map((part) =>
				part === null ? [] : new Array(binCount(part.bins)).fill(0),
			),
			differing: 0,
			largest: 0,
		},
	};
}

function countValue(cell: Cell, { context, missing }: ObservedDecision): void {
	const { feature, read, counts } = cell;
	const value = read?.(context);
	if (value !== undefined) countBins(cell, value);
	else if (read !== null || Object.hasOwn(missing, feature.name)) {
		const reason = missing[feature.name] ?? "absent";
		const at = MISSING_REASONS.indexOf(reason);
		counts.missing[at] = (counts.missing[at] ?? 0) + 1;
	}
}

function countBins({ feature, parts, counts }: Cell, value: JsonValue): void {
	if (!hasValue(feature)) return;
	if (feature.kind === "category" && !isDeclared(feature, value as string))
		counts.unseen += 1;
	for (let i = 0; i < parts.length; i++) {
		const part = parts[i];
		const bins = counts.bins[i];
		if (part == null || bins === undefined) continue;
		const bin = binOf(feature, part.bins, value, i);
		bins[bin] = (bins[bin] ?? 0) + 1;
	}
}

/** A coordinate that only one side has differs by all of what the other has there, or by 1 at least. */
function compare(
	{ offset, length, counts }: Cell,
	again: Float64Array,
	logged: Float64Array,
): void {
	let largest = 0;
	for (let i = offset; i < offset + length; i++) {
		const a = again[i];
		const b = logged[i];
		if (a === b) continue;
		const apart =
			a === undefined || b === undefined
				? Math.max(1, Math.abs(a ?? b ?? 0))
				: Math.abs(a - b);
		largest = Math.max(largest, apart);
	}
	if (largest === 0) return;
	counts.differing += 1;
	counts.largest = Math.max(counts.largest, largest);
}
