import { type Database, PostgresPosteriorSource } from "#adapters/postgres";
import type { PlainFold } from "./plain-fold.js";

/** In hex, by version, arm and bucket: equal where they are equal bit by bit. */
export type SumsInBits = { readonly [key: string]: string };

const hex = (sums: Float64Array): string =>
	Buffer.from(sums.buffer, sums.byteOffset, sums.byteLength).toString("hex");
const isNothing = (bits: string): boolean => /^0*$/.test(bits);

/** Sums of nothing, which erasure leaves, are as none. */
export async function storedSums(
	database: Database,
	experiment: string,
): Promise<SumsInBits> {
	const source = new PostgresPosteriorSource(database);
	const { buckets } = await source.everyVersion(experiment);
	return Object.fromEntries(
		buckets
			.map(
				({ version, arm, bucket, sums }) =>
					[`${version} ${arm} ${bucket}`, hex(sums)] as const,
			)
			.filter(([, bits]) => !isNothing(bits))
			.sort(),
	);
}

export function foldedSums(model: PlainFold): SumsInBits {
	return Object.fromEntries(
		[...model.sums()]
			.sort()
			.map(([key, sum]) => [key, hex(Float64Array.from(sum))]),
	);
}
