import request from "supertest";

/** What tests say to a running Segue, over HTTP as any client would. */

export interface Answer {
	readonly status: number;
	// biome-ignore lint/suspicious/noExplicitAny: tests look at answers of every shape
	readonly body: any;
	readonly headers: Headers;
}

export async function send(
	url: string,
	method: "GET" | "POST" | "PUT" | "DELETE",
	path: string,
	body?: unknown,
): Promise<Answer> {
	const verb = method.toLowerCase() as "get" | "post" | "put" | "delete";
	const asked = request(url)[verb](path);
	const response = await (body === undefined
		? asked
		: asked
				.set("content-type", "application/json")
				.send(typeof body === "string" ? body : JSON.stringify(body)));
	const isJson = response.type.includes("json");
	return {
		status: response.status,
		body: isJson ? response.body : response.text,
		headers: new Headers(response.headers as Record<string, string>),
	};
}

/** Puts and starts an experiment; throws with the problem where that fails. */
export async function runExperiment(
	url: string,
	experiment: { key: string },
): Promise<void> {
	const put = await send(
		url,
		"PUT",
		`/v1/experiments/${experiment.key}`,
		experiment,
	);
	if (put.status >= 300)
		throw new Error(`put: ${put.status} ${JSON.stringify(put.body)}`);
	const start = await send(
		url,
		"POST",
		`/v1/experiments/${experiment.key}/start`,
		{},
	);
	if (start.status >= 300)
		throw new Error(`start: ${start.status} ${JSON.stringify(start.body)}`);
}

/** Three arms, a number and a category: small, with ties at first, a floor and a control group. */
export const sampleExperiment = {
	key: "sample",
	arms: [
		{ key: "a", payload: { text: "A" } },
		{ key: "b", payload: { text: "B" } },
		{
			key: "c",
			payload: { text: "C" },
			eligible: 'context.device != "speaker"',
		},
	],
	context: {
		features: [
			{ name: "tempo", from: "request", kind: "number", mean: 120, scale: 30 },
			{
				name: "device",
				from: "request",
				kind: "category",
				levels: ["phone", "desktop", "speaker"],
			},
		],
	},
	policy: { kind: "linucb", alpha: 0.5, ridge: 1, explore: 0.1 },
	reward: {
		learn: "impression",
		window: "30m",
		range: [-1, 2],
		outcomes: [
			{ type: "play", value: 0.3 },
			{ type: "complete", value: 0.7 },
			{ type: "skip", value: -0.2, within: "30s" },
		],
	},
	traffic: { share: 1, control: 0.2, baseline: "uniform" },
};

const devices = ["phone", "desktop", "speaker"] as const;

/** The i-th decision request of a run: contexts vary, units return now and then. */
export function sampleRequest(i: number, experiment = "sample") {
	return {
		experiment,
		unit: `unit-${i % 97}`,
		context: { tempo: 60 + ((i * 37) % 120), device: devices[i % 3] },
	};
}

export interface TestEvent {
	readonly id: string;
	readonly type: string;
	readonly at: string;
	readonly unit: string;
	readonly decisionId: string;
}

const types = ["play", "skip", "complete", "impression"] as const;

export function sampleEvent(
	i: number,
	unit: string,
	decisionId: string,
): TestEvent {
	return {
		id: `e-${i}`,
		type: types[i % 4] as string,
		at: new Date().toISOString(),
		unit,
		decisionId,
	};
}
