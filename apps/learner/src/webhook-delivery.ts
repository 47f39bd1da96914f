import type { WebhookSetting } from "#adapters/config";
import { type Database, PostgresOutbox } from "#adapters/postgres";
import { WebhookSender } from "#adapters/webhook";
import { DeliverMessages } from "#usecases/notifying";
import { Repeated } from "#usecases/pacing";
import type { UpkeepNeeds } from "./upkeep-needs.js";

const EVERY_MS = 500;
const FORGET_MS = 10 * 60_000;

/** Delivers what waits for the webhook; without one it only says what still waits. Several learners may do it at once: each message is in one's hands at a time. */
export function deliverWebhooks(
	database: Database,
	setting: WebhookSetting | null,
	{ metrics, log, shutdown }: UpkeepNeeds,
): void {
	const outbox = new PostgresOutbox(database);
	metrics.watchWebhooks(() => outbox.waiting().catch(() => null));
	if (setting === null) return;
	const deliver = new DeliverMessages(outbox, new WebhookSender(setting));
	const delivering = new Repeated(
		async () => {
			for (const { message, outcome, why } of await deliver.execute()) {
				metrics.webhookTried(outcome);
				const said = { id: message.id, type: message.type, why };
				if (outcome === "postponed")
					log.warn(said, "A webhook was not delivered; it is tried again");
				if (outcome === "given up")
					log.error(
						said,
						'A webhook was not delivered and is not tried again: see "A webhook is not delivered" in docs/runbook.md',
					);
			}
		},
		EVERY_MS,
		(error) =>
			log.warn({ err: error }, "Webhooks could not be looked for; it goes on"),
	);
	const forgetting = new Repeated(
		() => outbox.forget(),
		FORGET_MS,
		(error) =>
			log.warn({ err: error }, "Webhooks given up long ago were not deleted"),
	);
	delivering.start();
	forgetting.start();
	shutdown.add("webhooks", () =>
		Promise.all([delivering.stop(), forgetting.stop()]).then(() => {}),
	);
}
