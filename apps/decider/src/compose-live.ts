import type { Config } from "#adapters/config";
import {
	type Database,
	type PostgresErasure,
	PostgresStreamMarks,
} from "#adapters/postgres";
import type { Definition } from "#core/experiment";
import { LiveWindows } from "#core/live";
import {
	LiveWindowsFeed,
	type LiveWindowsFeedOptions,
} from "#usecases/deciding";
import type { Pseudonyms } from "#usecases/pseudonymising";
import type { Log } from "../../boot/src/log.js";
import type { Parts } from "../../boot/src/parts.js";
import { readItemVectors, withoutVectors } from "./item-vectors.js";

export interface LiveNeeds
	extends Required<Pick<LiveWindowsFeedOptions, "keeper">> {
	readonly config: Config;
	readonly parts: Parts;
	readonly database: Database;
	readonly erasure: PostgresErasure;
	readonly pseudonyms: Pseudonyms | null;
	readonly log: Log;
}

/** A decider's live windows over the stream, not started yet, and the key of the hashes that they know units by. */
export async function composeLive({
	config,
	parts,
	database,
	erasure,
	keeper,
	pseudonyms,
	log,
}: LiveNeeds) {
	const marks = new PostgresStreamMarks(database);
	const hashKey = await erasure.liveKey();
	const vectors =
		config.itemVectors === null
			? null
			: await readItemVectors(config.itemVectors, hashKey);
	const live = new LiveWindowsFeed(
		parts.stream,
		{ now: () => Date.now() },
		(features) => new LiveWindows(features, { hashKey, vectors }),
		{
			past: {
				erasedSince: (instant) => erasure.erasedSince(instant),
				wholeSince: () => marks.wholeSince(),
				droppedBefore: () => marks.droppedBefore(),
			},
			keeper,
			...(pseudonyms !== null && { names: pseudonyms }),
			failed: (error) =>
				log.warn({ err: error }, "The live windows do not follow the stream"),
		},
	);
	return {
		live,
		hashKey,
		/** Takes a definition's features up. */
		prepare: (definition: Definition): Promise<void> => {
			const { key, context } = definition.experiment;
			const problem = withoutVectors(key, context, vectors);
			if (problem !== null) log.warn(problem);
			return live.prepare(definition);
		},
	};
}
