import { VERDICTS } from "#core/experiment";
import type { LedgerReads } from "./ports.js";
import type { DeliveryKind } from "./verdict-tally.js";

/** How many deliveries have which verdict now. They add up to everything delivered, a redelivery being a duplicate. */
export interface Ledger {
	/** A key, or `-`: what names no experiment or one that cannot be told. */
	readonly experiment: string;
	readonly deliveries: number;
	readonly decisions: { readonly [verdict: string]: number };
	readonly events: { readonly [verdict: string]: number };
}

export class ReadLedger {
	constructor(private readonly reads: LedgerReads) {}

	async execute(experiment: string): Promise<Ledger> {
		const counts = await this.reads.counts(experiment);
		const of = (wanted: DeliveryKind) =>
			Object.fromEntries(
				VERDICTS.flatMap((verdict) => {
					const found = counts.find(
						(entry) => entry.kind === wanted && entry.verdict === verdict,
					);
					return found ? [[verdict, found.count]] : [];
				}),
			);
		return {
			experiment,
			deliveries: counts.reduce((sum, { count }) => sum + count, 0),
			decisions: of("decision"),
			events: of("event"),
		};
	}
}
