import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { currentTraceId, startTracing, withSpan } from "./tracing.js";

describe("without an SDK", () => {
	it("has no trace id, runs the work and passes its error on", async () => {
		const tracing = await startTracing({ enabled: false, serviceName: "t" });
		expect(currentTraceId()).toBeNull();
		expect(
			await withSpan("work", null, async () => currentTraceId()),
		).toBeNull();
		await expect(
			withSpan("work", null, () => Promise.reject(new Error("no"))),
		).rejects.toThrow("no");
		await tracing.stop();
	});
});

describe("with an endpoint", () => {
	it("gives the work a trace id, that of the trace it is part of, and sends the span when it stops", async () => {
		const received: string[] = [];
		const collector = createServer((request, response) => {
			received.push(request.url ?? "");
			request.resume().on("end", () => response.end("{}"));
		});
		await new Promise<void>((resolve) =>
			collector.listen(0, "127.0.0.1", resolve),
		);
		const { port } = collector.address() as AddressInfo;
		process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${port}`;
		const tracing = await startTracing({ enabled: true, serviceName: "t" });
		const id = await withSpan("work", null, async () => currentTraceId());
		expect(id).toMatch(/^[0-9a-f]{32}$/);
		const theirs = "0af7651916cd43dd8448eb211c80319c";
		const named = await withSpan(
			"work",
			`00-${theirs}-b7ad6b7169203331-01`,
			async () => currentTraceId(),
		);
		expect(named).toBe(theirs);
		await tracing.stop();
		expect(received).toContain("/v1/traces");
		delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
		collector.closeAllConnections();
		collector.close();
	});
});
