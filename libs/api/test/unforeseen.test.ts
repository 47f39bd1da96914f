import { afterAll, beforeAll, expect, test } from "vitest";
import { type Api, send, startApi } from "./app.js";

const PLANTED = "planted-7f3a";
const told: string[] = [];
const broken = () => ({
	execute: (): never => {
		throw new Error("Nobody foresaw this.");
	},
});

let api: Api;
beforeAll(async () => {
	api = await startApi({
		onUnexpected: (_, where) => void told.push(where),
		findDecision: broken(),
		readPosterior: broken(),
		getExperiment: broken(),
		putExperiment: broken(),
		startExperiment: broken(),
		pauseExperiment: broken(),
		stopExperiment: broken(),
		makeReport: broken(),
		putProfile: broken(),
		getProfile: broken(),
		putConsent: broken(),
		getConsent: broken(),
		eraseUnit: broken(),
		readLedger: broken(),
	});
});
afterAll(() => api.app.close());

test.each([
	["GET", "/v1/units/:unit/profile"],
	["PUT", "/v1/units/:unit/profile"],
	["GET", "/v1/units/:unit/consent"],
	["PUT", "/v1/units/:unit/consent"],
	["DELETE", "/v1/units/:unit"],
	["GET", "/v1/decisions/:id"],
	["GET", "/v1/experiments/:key"],
	["PUT", "/v1/experiments/:key"],
	["POST", "/v1/experiments/:key/start"],
	["POST", "/v1/experiments/:key/pause"],
	["POST", "/v1/experiments/:key/stop"],
	["GET", "/v1/experiments/:key/report"],
	["GET", "/v1/experiments/:key/posterior"],
	["GET", "/v1/experiments/:key/ledger"],
])(
	"an unforeseen error at %s %s is told with the route's pattern, never with what was asked for",
	async (method, pattern) => {
		told.length = 0;
		const path = pattern.replace(/:\w+/, PLANTED);
		const { status, text } = await send(
			api,
			method,
			`${path}?token=${PLANTED}`,
			method === "PUT" ? {} : undefined,
		);
		expect(status, text).toBe(500);
		expect(told).toEqual([`${method} ${pattern}`]);
	},
);

test("whoever asks for what is not there is shown the path, and the log is told nothing", async () => {
	told.length = 0;
	const { status, body } = await send(api, "GET", `/v1/${PLANTED}`);
	expect(status).toBe(404);
	expect(body.detail).toContain(`GET /v1/${PLANTED}`);
	expect(told).toEqual([]);
});
