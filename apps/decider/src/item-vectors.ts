import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { type ContextSchema, isLive } from "#core/experiment";
import { ItemVectors } from "#core/live";
import type { SipKey } from "#core/policy";

const MOST_LENGTH = 256;
const MOST_ITEM = 256;

/**
 * A catalogue's vectors from a file of JSON lines, `{"item": "t1", "vector": [0.1, …]}`, all of one length; of two lines for an item the
 * later counts. Throws a sentence that names the first line that is wrong.
 */
export async function readItemVectors(
	file: string,
	hashKey: SipKey,
): Promise<ItemVectors> {
	let vectors: ItemVectors | null = null;
	let number = 0;
	const lines = createInterface({
		input: createReadStream(file),
		crlfDelay: Number.POSITIVE_INFINITY,
	});
	try {
		for await (const line of lines) {
			number += 1;
			if (line.trim() === "") continue;
			const { item, vector } = parseLine(line);
			vectors ??= new ItemVectors(hashKey, vector.length);
			vectors.set(item, vector);
		}
	} catch (error) {
		const where = number === 0 ? "it" : `line ${number}`;
		throw new Error(
			`SEGUE_ITEM_VECTORS is ${file}, and ${where} cannot be read: ${error instanceof Error ? error.message : error} Each line holds {"item": "t1", "vector": [0.1, -0.2]}, all vectors of one length.`,
		);
	}
	if (vectors === null)
		throw new Error(`SEGUE_ITEM_VECTORS is ${file}, which holds no vector.`);
	return vectors;
}

/** What an operator should know of features that find no vectors here; null where all of them do. */
export function withoutVectors(
	key: string,
	context: ContextSchema,
	vectors: ItemVectors | null,
): string | null {
	for (const feature of context.features) {
		if (feature.kind !== "vector" || !isLive(feature)) continue;
		if (feature.length === vectors?.length) continue;
		const has =
			vectors === null
				? "SEGUE_ITEM_VECTORS names no file of vectors"
				: `those of SEGUE_ITEM_VECTORS have ${vectors.length}`;
		return `The experiment ${key} makes ${feature.name} of items' vectors of ${feature.length} numbers, and ${has}: the feature is missing in every decision`;
	}
	return null;
}

function parseLine(line: string): { item: string; vector: number[] } {
	const { item, vector } = JSON.parse(line) as {
		item?: unknown;
		vector?: unknown;
	};
	if (typeof item !== "string" || item === "" || item.length > MOST_ITEM)
		throw new Error(`item must be a text of 1 to ${MOST_ITEM} characters.`);
	const isVector =
		Array.isArray(vector) &&
		vector.length > 0 &&
		vector.length <= MOST_LENGTH &&
		vector.every((one) => typeof one === "number" && Number.isFinite(one));
	if (!isVector)
		throw new Error(`vector must be a list of 1 to ${MOST_LENGTH} numbers.`);
	return { item, vector };
}
