import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { openSpool } from "#adapters/spool";
import { RememberedDecisions } from "#usecases/deciding";
import { Publisher } from "#usecases/ingesting";
import type { DeciderNeeds } from "./compose-decider.js";
import { searchStream } from "./search-stream.js";

/** Where a decider keeps what it answers, before it answers: the stream, the spool while that is away, and the decisions it remembers. */
export async function composeLog({
	config,
	parts,
	log,
	metrics,
	shutdown,
}: Omit<DeciderNeeds, "privacy">) {
	const spool = await openSpool({
		folder: join(config.dataFolder, "spool"),
		maxBytes: config.spoolMaxBytes,
		sync: config.durability === "power",
		onDamage: (keptIn) =>
			log.error(
				`The spool had damaged bytes, which were set aside in ${keptIn}`,
			),
	});
	shutdown.add("spool", () => spool.close());
	metrics.watchSpool(() => ({ bytes: spool.size, entries: spool.count }));
	const remembered: RememberedDecisions = new RememberedDecisions(
		(id) => publisher.pending(id),
		searchStream(parts.stream),
	);
	const publisher: Publisher = new Publisher(parts.stream, spool, {
		boot: randomUUID(),
		onPublished: (seconds) => metrics.published(seconds),
		onSafe: (rows, pack) => remembered.remember(rows, pack),
		onTrouble: (what, error) => log.warn({ err: error }, what),
	});
	publisher.start();
	shutdown.add("publisher", () => publisher.stop());
	return { spool, remembered, publisher };
}
