import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { ScoreCase } from "./score-case.js";
import { root } from "./support/machine.js";

/** The C program of score.c as a child that times its own loops on request, so that its rounds can alternate with ours. */
export class CProgram {
	readonly #answers: AsyncIterator<string>;

	private constructor(private readonly child: ChildProcess) {
		if (!child.stdout) throw new Error("The C program has no output.");
		this.#answers = createInterface({ input: child.stdout })[
			Symbol.asyncIterator
		]();
	}

	/** Null where there is no C compiler. */
	static build(): CProgram | null {
		const folder = mkdtempSync(join(tmpdir(), "segue-bench-"));
		const program = join(folder, "score");
		const source = join(root, "bench", "score.c");
		try {
			const { status, stderr, error } = spawnSync(
				"cc",
				["-O3", "-march=native", source, "-lm", "-o", program],
				{ encoding: "utf8" },
			);
			if (error) return null;
			if (status !== 0)
				throw new Error(`cc does not compile bench/score.c:\n${stderr}`);
			return new CProgram(
				spawn(program, { stdio: ["pipe", "pipe", "inherit"] }),
			);
		} finally {
			// A program that runs needs its file no more.
			rmSync(folder, { recursive: true });
		}
	}

	/** Hands over sums and vectors; the sums of means and widths that C makes of them with the first vector. */
	async load({ K, d, systems, xs }: ScoreCase): Promise<readonly number[]> {
		this.child.stdin?.write(`load ${K} ${d}\n`);
		for (const numbers of [...systems, ...xs])
			this.child.stdin?.write(new Uint8Array(numbers.slice().buffer));
		return (await this.#answer()).split(" ").map(Number);
	}

	/** Microseconds of one, over `times` of them. */
	async time(what: "score" | "refresh", times: number): Promise<number> {
		this.child.stdin?.write(`${what} ${times}\n`);
		return Number(await this.#answer());
	}

	close(): void {
		this.child.stdin?.end();
	}

	async #answer(): Promise<string> {
		const { value, done } = await this.#answers.next();
		if (done) throw new Error("The C program ended before its answer.");
		return value;
	}
}
