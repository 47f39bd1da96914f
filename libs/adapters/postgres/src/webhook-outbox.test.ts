import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebhookSender } from "#adapters/webhook";
import { DeliverMessages, MOST_ATTEMPTS } from "#usecases/notifying";
import {
	createTestDatabase,
	type TestDatabase,
} from "../../../../test/support/database.js";
import { WebhookReceiver } from "../../../../test/support/webhook-receiver.js";
import { Database } from "./database.js";
import { PostgresOutbox, putMessage } from "./webhook-outbox.js";

const message = {
	id: "msg_1",
	type: "guardrail.breached",
	at: Date.UTC(2026, 10, 26, 21),
	data: { experiment: "morning" },
};

describe("messages for the webhook", () => {
	let made: TestDatabase;
	let database: Database;
	let outbox: PostgresOutbox;
	let receiver: WebhookReceiver;
	let deliver: DeliverMessages;
	beforeEach(async () => {
		made = await createTestDatabase({ migrated: true });
		database = open();
		outbox = new PostgresOutbox(database);
		receiver = await WebhookReceiver.open();
		deliver = new DeliverMessages(outbox, new WebhookSender(receiver, 1_000));
	});
	afterEach(async () => {
		await receiver?.close();
		await database?.close();
		await made?.drop();
	});
	const open = () =>
		new Database({
			connectionString: made.connectionString,
			applicationName: "test",
		});
	const put = (...ids: string[]) =>
		database.transaction(async (client) => {
			for (const id of ids) await putMessage(client, { ...message, id });
		});
	const makeDue = () =>
		database.query("update webhook_messages set due_at = clock_timestamp()");
	const stored = () =>
		database.query<{
			id: string;
			attempts: number;
			failure: string | null;
			given: boolean;
		}>(
			"select m.id, m.attempts, m.failure, m.given_up_at is not null as given from webhook_messages m order by m.id",
		);
	const ids = () => receiver.received.map(({ id }) => id);

	it("are delivered, and kept no longer", async () => {
		await put("msg_1", "msg_2");
		const outcomes = await deliver.execute();
		expect(outcomes.map(({ outcome }) => outcome)).toEqual([
			"delivered",
			"delivered",
		]);
		expect(receiver.received).toMatchObject(
			Array(2).fill({
				message: {
					type: message.type,
					timestamp: "2026-11-26T21:00:00.000Z",
					data: message.data,
				},
			}),
		);
		expect(ids().toSorted()).toEqual(["msg_1", "msg_2"]);
		expect(await stored()).toEqual([]);
		expect(await deliver.execute()).toEqual([]);
	});

	it("are not stored where what they tell of was not", async () => {
		const cut = database.transaction(async (client) => {
			await putMessage(client, message);
			throw new Error("cut off");
		});
		await expect(cut).rejects.toThrow("cut off");
		expect(await stored()).toEqual([]);
	});

	it("are tried again under the same id until the receiver takes them, not before their time", async () => {
		receiver.answers.push({ status: 500 }, { status: 503 });
		await put("msg_1");
		expect(await deliver.execute()).toMatchObject([
			{ outcome: "postponed", why: "the receiver answered 500" },
		]);
		expect(await deliver.execute()).toEqual([]);
		await makeDue();
		expect(await deliver.execute()).toMatchObject([{ outcome: "postponed" }]);
		expect(await outbox.waiting()).toBe(1);
		await makeDue();
		expect(await deliver.execute()).toMatchObject([{ outcome: "delivered" }]);
		expect(ids()).toEqual(["msg_1", "msg_1", "msg_1"]);
	});

	it("are given up after so many attempts, with the reason, and stay to be looked up", async () => {
		receiver.answers.push(...Array(MOST_ATTEMPTS).fill({ status: 500 }));
		await put("msg_1");
		const outcomes: string[] = [];
		for (let i = 0; i < MOST_ATTEMPTS + 2; i++) {
			await makeDue();
			for (const { outcome } of await deliver.execute()) outcomes.push(outcome);
		}
		expect(outcomes).toEqual([
			...Array(MOST_ATTEMPTS - 1).fill("postponed"),
			"given up",
		]);
		expect(await stored()).toEqual([
			{
				id: "msg_1",
				attempts: MOST_ATTEMPTS,
				failure: "the receiver answered 500",
				given: true,
			},
		]);
		expect(await outbox.waiting()).toBe(0);
		await outbox.forget();
		expect(await stored()).toHaveLength(1);
	});

	it("are given up at once where the receiver is gone for good", async () => {
		receiver.answers.push({ status: 410 });
		await put("msg_1");
		expect(await deliver.execute()).toMatchObject([{ outcome: "given up" }]);
	});

	it("wait as long as the receiver asks", async () => {
		receiver.answers.push({ status: 429, headers: { "retry-after": "3600" } });
		await put("msg_1");
		await deliver.execute();
		const [row] = await database.query<{ later: boolean }>(
			"select m.due_at > clock_timestamp() + interval '59 minutes' as later from webhook_messages m",
		);
		expect(row?.later).toBe(true);
	});

	it("that a killed process had in hand are due again when its lease ends, with every attempt counted", async () => {
		await put("msg_1");
		await outbox.claim(4, 30_000);
		expect(await deliver.execute()).toEqual([]);
		await makeDue();
		const again = open();
		const other = new DeliverMessages(
			new PostgresOutbox(again),
			new WebhookSender(receiver),
		);
		expect(await other.execute()).toMatchObject([
			{ outcome: "delivered", message: { attempt: 2 } },
		]);
		await again.close();
	});

	it("are in one process's hands at a time", async () => {
		await put(...Array.from({ length: 40 }, (_, i) => `msg_${i}`));
		const others = Array.from({ length: 4 }, open);
		await Promise.all(
			others.map(async (own) => {
				const one = new DeliverMessages(
					new PostgresOutbox(own),
					new WebhookSender(receiver),
				);
				while ((await one.execute()).length > 0);
				await own.close();
			}),
		);
		expect(new Set(ids()).size).toBe(40);
		expect(ids()).toHaveLength(40);
	});

	it("whose last attempt was cut off are given up without another", async () => {
		await put("msg_1");
		await database.query("update webhook_messages set attempts = $1", [
			MOST_ATTEMPTS,
		]);
		expect(await deliver.execute()).toMatchObject([{ outcome: "given up" }]);
		expect(ids()).toEqual([]);
	});
});
