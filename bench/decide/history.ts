import { SegueClient } from "#client";
import {
	ARMS,
	experiment,
	KEY,
	randomNumbers,
	requestOf,
} from "./experiment.js";

const DECISIONS = 4_000;
const A_REQUEST = 500;
const LONGEST_MS = 60_000;

/** Makes the experiment and teaches it, so that posteriors are those of a running experiment; needs a learner. */
export async function makeExperimentWithHistory(url: string): Promise<void> {
	await send("PUT", `${url}/v1/experiments/${KEY}`, experiment);
	await send("POST", `${url}/v1/experiments/${KEY}/start`, {});
	const client = new SegueClient({ url });
	const random = randomNumbers(20_260_105);
	for (let made = 0; made < DECISIONS; made += A_REQUEST) {
		const requests = Array.from({ length: A_REQUEST }, () => requestOf(random));
		const answers = await client.decideBatch(requests as never);
		const events = answers.flatMap((answer, index) => {
			if (!("decisionId" in answer) || answer.decisionId === undefined)
				throw new Error(
					`The bench's experiment does not decide: ${JSON.stringify(answer)}`,
				);
			const { unit } = requests[index] as { unit: string };
			const { decisionId } = answer;
			const plays = random() < Number(answer.arm.slice(4)) / ARMS;
			return [
				{ type: "impression", unit, decisionId },
				...(plays ? [{ type: "play", unit, decisionId }] : []),
			];
		});
		await client.sendEvents(events);
	}
	await untilLearned(url);
}

async function untilLearned(url: string): Promise<void> {
	const deadline = Date.now() + LONGEST_MS;
	while (Date.now() < deadline) {
		const answer = await fetch(`${url}/v1/experiments/${KEY}/posterior`);
		const { arms } = (await answer.json()) as { arms?: { n: number }[] };
		const learned = arms?.reduce((sum, { n }) => sum + n, 0) ?? 0;
		if (learned >= DECISIONS) return;
		await new Promise((resolve) => setTimeout(resolve, 200));
	}
	throw new Error("The history was not learned within a minute.");
}

async function send(method: string, url: string, body: unknown): Promise<void> {
	const answer = await fetch(url, {
		method,
		headers: { "content-type": "application/json" },
		body: JSON.stringify(body),
	});
	if (!answer.ok)
		throw new Error(
			`${method} ${url} answered ${answer.status}: ${await answer.text()}`,
		);
}
