import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebhookReceiver } from "../../../../test/support/webhook-receiver.js";
import { WebhookSender } from "./webhook-sender.js";

const message = {
	id: "msg_1",
	type: "guardrail.breached",
	at: Date.UTC(2026, 10, 26, 21),
	data: { experiment: "morning", sentence: "Skips — über the limit" },
};

describe("a webhook's sender", () => {
	let receiver: WebhookReceiver;
	beforeEach(async () => {
		receiver = await WebhookReceiver.open();
	});
	afterEach(() => receiver.close());

	it("signs what it sends so that the library of Standard Webhooks takes it", async () => {
		expect(await new WebhookSender(receiver).send(message)).toEqual({
			kind: "delivered",
		});
		expect(receiver.received).toMatchObject([
			{
				id: "msg_1",
				message: {
					type: "guardrail.breached",
					timestamp: "2026-11-26T21:00:00.000Z",
					data: message.data,
				},
				headers: { "content-type": "application/json" },
			},
		]);
	});

	it("is not taken by who has another secret", async () => {
		const secret = `whsec_${Buffer.alloc(32, 8).toString("base64")}`;
		await new WebhookSender({ url: receiver.url, secret }).send(message);
		expect(receiver.received).toEqual([]);
		expect(receiver.refused).toBe(1);
	});

	it.each([
		[500, "the receiver answered 500", {}],
		[404, "the receiver answered 404", {}],
		[410, "the receiver answered 410", { forGood: true }],
	])(
		"says what went wrong where it is answered %i",
		async (status, why, more) => {
			receiver.answers.push({ status });
			expect(await new WebhookSender(receiver).send(message)).toEqual({
				kind: "failed",
				why,
				...more,
			});
		},
	);

	it("tells how long the receiver asks it to wait, where that is a number of seconds", async () => {
		receiver.answers.push(
			{ status: 429, headers: { "retry-after": "120" } },
			{ status: 503, headers: { "retry-after": "tomorrow" } },
		);
		const sender = new WebhookSender(receiver);
		expect(await sender.send(message)).toMatchObject({ retryAfterMs: 120_000 });
		expect(await sender.send(message)).not.toHaveProperty("retryAfterMs");
	});

	it("follows no redirect, and says where to mend it", async () => {
		const elsewhere = await WebhookReceiver.open();
		receiver.answers.push({
			status: 307,
			headers: { location: elsewhere.url },
		});
		const sent = await new WebhookSender(receiver).send(message);
		expect(sent).toMatchObject({ kind: "failed" });
		expect(JSON.stringify(sent)).toContain("set SEGUE_WEBHOOK_URL");
		expect(elsewhere.received).toEqual([]);
		expect(elsewhere.refused).toBe(0);
		await elsewhere.close();
	});

	it("gives up an attempt that is not answered in time", async () => {
		receiver.answers.push("silence");
		expect(await new WebhookSender(receiver, 50).send(message)).toEqual({
			kind: "failed",
			why: "the receiver did not answer within 50 ms",
		});
	});

	it("waits for no body", async () => {
		receiver.answers.push("endless");
		expect(await new WebhookSender(receiver).send(message)).toEqual({
			kind: "delivered",
		});
	});

	it("never names the URL where the receiver cannot be reached", async () => {
		const { url, secret } = receiver;
		await receiver.close();
		const sent = await new WebhookSender({
			url: `${url}/s3cret`,
			secret,
		}).send(message);
		expect(sent).toEqual({
			kind: "failed",
			why: "the receiver could not be reached (ECONNREFUSED)",
		});
		receiver = await WebhookReceiver.open();
	});

	it("sends nothing that is larger than receivers take", async () => {
		const data = { sentence: "ü".repeat(10_000) };
		expect(
			await new WebhookSender(receiver).send({ ...message, data }),
		).toMatchObject({ kind: "failed", forGood: true });
		expect(receiver.received).toEqual([]);
	});
});
