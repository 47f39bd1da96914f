import { parentPort } from "node:worker_threads";
import { type Chunk, type Input, jobs } from "./jobs.js";

parentPort?.on("message", ({ job, input, seeds }: Chunk) => {
	const work = jobs[job] as (input: Input<typeof job>, seed: number) => unknown;
	parentPort?.postMessage(seeds.map((seed) => work(input, seed)));
});
