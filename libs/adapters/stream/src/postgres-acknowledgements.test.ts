import type { Pool } from "pg";
import { expect, test } from "vitest";
import { Acknowledgements } from "./postgres-acknowledgements.js";

/** More promises than there are between the last statement and the end of a drain. */
const DEEPEST = 40;

test("an acknowledgement said at any moment while a drain ends is written without waiting for another", async () => {
	for (let depth = 0; depth < DEEPEST; depth += 1) {
		const written: number[] = [];
		let said = false;
		// A database that answers at once, and after `depth` promises more the next message is acknowledged.
		const query = async (_text: string, [positions]: [number[]]) => {
			written.push(...positions);
			if (said) return;
			said = true;
			void later(depth).then(() => acknowledgements.acknowledge(2));
		};
		const acknowledgements = new Acknowledgements(
			{ query } as unknown as Pool,
			1_000,
			(what, error) => expect.unreachable(`${what} ${error}`),
		);
		acknowledgements.acknowledge(1);
		for (let turn = 0; turn < 10; turn += 1)
			await new Promise((resolve) => setImmediate(resolve));
		expect(written, `after ${depth} promises`).toEqual([1, 2]);
	}
});

test("a close waits for what was acknowledged while the drain before it ended", async () => {
	for (let depth = 0; depth < DEEPEST; depth += 1) {
		const written: number[] = [];
		let closed: Promise<void> | null = null;
		const query = async (_text: string, [positions]: [number[]]) => {
			written.push(...positions);
			closed ??= later(depth).then(() => {
				acknowledgements.acknowledge(2);
				return acknowledgements.close();
			});
		};
		const acknowledgements = new Acknowledgements(
			{ query } as unknown as Pool,
			1_000,
			(what, error) => expect.unreachable(`${what} ${error}`),
		);
		acknowledgements.acknowledge(1);
		while (closed === null)
			await new Promise((resolve) => setImmediate(resolve));
		await closed;
		expect(written, `after ${depth} promises`).toEqual([1, 2]);
	}
});

async function later(promises: number): Promise<void> {
	for (let index = 0; index < promises; index += 1) await undefined;
}
