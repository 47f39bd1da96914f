import { describe, expect, it } from "vitest";
import {
	MemoryClock,
	MemoryDecisionLog,
	MemoryIds,
	MemoryLive,
	MemoryPosteriorSource,
} from "#adapters/memory";
import { SegueError } from "#usecases/errors";
import { Decide, DecideBatch, PosteriorCache } from "../src/index.js";
import { definition, experiment } from "./definitions.js";

function room(log = new MemoryDecisionLog()) {
	const clock = new MemoryClock(Date.UTC(2025, 10, 24));
	const current = definition();
	const definitions = {
		get: (key: string) => (key === experiment.key ? current : undefined),
		all: () => [current],
	};
	const source = new MemoryPosteriorSource();
	const posteriors = new PosteriorCache(source, definitions, clock);
	const live = new MemoryLive();
	const ids = new MemoryIds(clock);
	const decide = new Decide({ definitions, posteriors, live, ids, log }, 100);
	return { log, batch: new DecideBatch(decide) };
}
const request = { experiment: experiment.key, unit: "u1" };

describe("a batch of decisions", () => {
	it("is answered in order, each on its own: a bad one spoils no other", async () => {
		const { batch, log } = room();
		const answers = await batch.execute({
			decisions: [
				{ ...request, unit: "u1" },
				{ ...request, unti: "u2" },
				{ ...request, experiment: "other" },
				7,
				{ ...request, unit: "u3", context: { hour: "eight" } },
				{ ...request, unit: "u4" },
			],
		});
		const codes = answers.map((answer) =>
			"problem" in answer ? answer.problem.code : "answered",
		);
		expect(codes).toEqual([
			"answered",
			"invalid",
			"unknown-experiment",
			"invalid",
			"invalid",
			"answered",
		]);
		expect(log.rows.map((row) => row.unit)).toEqual(["u1", "u4"]);
		expect(answers[5]).toMatchObject({ decisionId: log.rows[1]?.id });
	});

	it("lets others in between: it is computed in slices", async () => {
		const { batch, log } = room();
		const decisions = Array.from({ length: 40 }, () => request);
		const computed: number[] = [];
		const look = () => {
			computed.push(log.rows.length);
			if (log.rows.length < 40) setImmediate(look);
		};
		setImmediate(look);
		await batch.execute({ decisions });
		expect(computed.slice(0, 2)).toEqual([16, 32]);
		expect(log.rows).toHaveLength(40);
	});

	it("is committed together: no slice waits for the commit of another", async () => {
		const commits: (() => void)[] = [];
		class Together extends MemoryDecisionLog {
			override decision(): Promise<"stream"> {
				return new Promise((resolve) => {
					commits.push(() => resolve("stream"));
					if (commits.length === 40) for (const commit of commits) commit();
				});
			}
		}
		const { batch } = room(new Together());
		const decisions = Array.from({ length: 40 }, () => request);
		expect(await batch.execute({ decisions })).toHaveLength(40);
	});

	it("is refused whole where it is no list of 1 to 500", async () => {
		const { batch } = room();
		const decisions = Array.from({ length: 501 }, () => request);
		await expect((async () => batch.execute({ decisions }))()).rejects.toThrow(
			SegueError,
		);
	});
});
