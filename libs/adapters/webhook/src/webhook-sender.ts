import { Webhook } from "standardwebhooks";
import type { Message, Sender, Sent } from "#usecases/notifying";

export interface WebhookTarget {
	readonly url: string;
	/** `whsec_` and base64. */
	readonly secret: string;
}

/** For the whole of an attempt. */
const TIMEOUT_MS = 5_000;
/** Of a message; receivers commonly take no more. */
const MOST_BYTES = 20_000;
const GONE = 410;

/**
 * Posts messages as Standard Webhooks 1.0.0 (standardwebhooks.com): headers webhook-id, webhook-timestamp (of the attempt) and
 * webhook-signature. Follows no redirect, so that what is signed goes nowhere but where it was meant to, and reads nothing of the answer
 * but its status.
 */
export class WebhookSender implements Sender {
	readonly #signer: Webhook;

	constructor(
		private readonly target: WebhookTarget,
		private readonly timeoutMs = TIMEOUT_MS,
	) {
		this.#signer = new Webhook(target.secret);
	}

	async send({ id, type, at, data }: Message): Promise<Sent> {
		const body = JSON.stringify({
			type,
			timestamp: new Date(at).toISOString(),
			data,
		});
		const bytes = Buffer.byteLength(body);
		if (bytes > MOST_BYTES)
			return {
				kind: "failed",
				why: `its body has ${bytes} bytes, and ${MOST_BYTES} are the most`,
				forGood: true,
			};
		const sentAt = new Date();
		try {
			const answer = await fetch(this.target.url, {
				method: "POST",
				redirect: "manual",
				signal: AbortSignal.timeout(this.timeoutMs),
				headers: {
					"content-type": "application/json",
					"user-agent": "segue",
					"webhook-id": id,
					"webhook-timestamp": String(Math.floor(sentAt.getTime() / 1_000)),
					"webhook-signature": this.#signer.sign(id, sentAt, body),
				},
				body,
			});
			await answer.body?.cancel().catch(() => {});
			return sentOf(answer);
		} catch (error) {
			return { kind: "failed", why: reasonOf(error, this.timeoutMs) };
		}
	}
}

function sentOf({ ok, status, headers }: Response): Sent {
	if (ok) return { kind: "delivered" };
	if (status >= 300 && status < 400)
		return {
			kind: "failed",
			why: `the receiver answered ${status}, and redirects are not followed: set SEGUE_WEBHOOK_URL to where it leads`,
		};
	const asked = Number(headers.get("retry-after") ?? Number.NaN);
	return {
		kind: "failed",
		why: `the receiver answered ${status}`,
		...(asked > 0 && { retryAfterMs: asked * 1_000 }),
		...(status === GONE && { forGood: true }),
	};
}

/** Without the URL: its path may be what keeps strangers out. */
function reasonOf(error: unknown, timeoutMs: number): string {
	const { name, cause } = error as Error & {
		cause?: { code?: unknown };
	};
	if (name === "TimeoutError")
		return `the receiver did not answer within ${timeoutMs} ms`;
	const code = typeof cause?.code === "string" ? ` (${cause.code})` : "";
	return `the receiver could not be reached${code}`;
}
