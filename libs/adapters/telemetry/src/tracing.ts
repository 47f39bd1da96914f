import {
	context,
	isSpanContextValid,
	propagation,
	SpanStatusCode,
	trace,
} from "@opentelemetry/api";

export interface Tracing {
	/** Sends what is left, 5 s at most. */
	stop(): Promise<void>;
}

const tracer = trace.getTracer("segue");
const LONGEST_FLUSH_MS = 5_000;

/**
 * Starts the OpenTelemetry SDK where traces have somewhere to go; it reads the usual OTEL_*
 * variables. The SDK is loaded only then.
 */
export async function startTracing(options: {
	readonly enabled: boolean;
	readonly serviceName: string;
}): Promise<Tracing> {
	if (!options.enabled) return { stop: async () => undefined };
	const { NodeSDK } = await import("@opentelemetry/sdk-node");
	const sdk = new NodeSDK({ serviceName: options.serviceName });
	sdk.start();
	return {
		async stop() {
			let timer: NodeJS.Timeout | undefined;
			const late = new Promise<void>((resolve) => {
				timer = setTimeout(resolve, LONGEST_FLUSH_MS);
			});
			// A collector that is away must not keep the process from ending well.
			await Promise.race([sdk.shutdown().catch(() => undefined), late]);
			clearTimeout(timer);
		},
	};
}

/**
 * Runs `work` in a span of that name; costs next to nothing where no SDK is registered.
 * @param traceparent the W3C header of the trace that it is part of; null for that which is under way, or one of its own
 */
export function withSpan<T>(
	name: string,
	traceparent: string | null,
	work: () => Promise<T>,
): Promise<T> {
	const under =
		traceparent === null
			? context.active()
			: propagation.extract(context.active(), { traceparent });
	return tracer.startActiveSpan(name, {}, under, async (span) => {
		try {
			return await work();
		} catch (error) {
			// Without its words: they may hold what the request said of a listener.
			span.setStatus({ code: SpanStatusCode.ERROR });
			throw error;
		} finally {
			span.end();
		}
	});
}

/** The 32 hex characters of the trace we are in, or null. */
export function currentTraceId(): string | null {
	const span = trace.getActiveSpan()?.spanContext();
	return span && isSpanContextValid(span) ? span.traceId : null;
}
