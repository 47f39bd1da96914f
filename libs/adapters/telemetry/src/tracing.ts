import {
	type Attributes,
	isSpanContextValid,
	type Span,
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

/** Runs `work` in a span of that name; costs next to nothing where no SDK is registered. */
export function withSpan<T>(
	name: string,
	attributes: Attributes,
	work: (span: Span) => Promise<T>,
): Promise<T> {
	return tracer.startActiveSpan(name, { attributes }, async (span) => {
		try {
			return await work(span);
		} catch (error) {
			span.setStatus({ code: SpanStatusCode.ERROR });
			if (error instanceof Error) span.recordException(error);
			throw error;
		} finally {
			span.end();
		}
	});
}

/** The 32 hex characters of the trace we are in, or null. */
export function currentTraceId(): string | null {
	const context = trace.getActiveSpan()?.spanContext();
	return context && isSpanContextValid(context) ? context.traceId : null;
}
