import { MemoryBroker } from "#adapters/memory";
import { type StreamHarness, streamSuite } from "./stream.suite.js";

streamSuite("Memory", async (): Promise<StreamHarness> => {
	let broker = new MemoryBroker();
	return {
		open: async (options) => broker.open(options),
		reset: async () => {
			broker = new MemoryBroker();
		},
		kill: async () => broker.setUp(false),
		revive: async () => broker.setUp(true),
		stop: async () => {},
	};
});
