import { Session } from "node:inspector/promises";
import { monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";

/**
 * Loaded into a measured process by --import: answers the bench's questions over the IPC channel. Nothing here runs in production.
 * `reset` forgets, `pauses` answers the longest stall of the event loop and the longest garbage collection since, `profile` starts
 * a CPU profile, `profiled` answers it.
 */

const TICK_MS = 1;
const delay = monitorEventLoopDelay({ resolution: TICK_MS });
delay.enable();
let longestGcMs = 0;
let gcMs = 0;
const observer = new PerformanceObserver((list) => {
	for (const { duration } of list.getEntries()) {
		gcMs += duration;
		longestGcMs = Math.max(longestGcMs, duration);
	}
});
observer.observe({ entryTypes: ["gc"] });
const session = new Session();
session.connect();
let processorUsed = process.cpuUsage();

async function answer(question: string): Promise<unknown> {
	switch (question) {
		case "reset":
			delay.reset();
			longestGcMs = 0;
			gcMs = 0;
			processorUsed = process.cpuUsage();
			return null;
		case "pauses": {
			const { user, system } = process.cpuUsage(processorUsed);
			return {
				// The timer that measures sleeps a tick by itself.
				stallMs: Math.max(0, delay.max / 1e6 - TICK_MS),
				gcMs: longestGcMs,
				allGcMs: gcMs,
				processorMs: (user + system) / 1e3,
				memory: process.memoryUsage(),
			};
		}
		case "profile":
			await session.post("Profiler.enable");
			await session.post("Profiler.setSamplingInterval", { interval: 200 });
			await session.post("Profiler.start");
			return null;
		case "profiled":
			return (await session.post("Profiler.stop")).profile;
		default:
			return null;
	}
}

process.on("message", (question: string) => {
	void answer(question).then((said) => process.send?.(said));
});
// The channel alone must not keep the process alive.
process.channel?.unref();

export interface Pauses {
	readonly stallMs: number;
	readonly gcMs: number;
	readonly allGcMs: number;
	readonly processorMs: number;
	readonly memory: NodeJS.MemoryUsage;
}
