import { spawn } from "node:child_process";
import { environmentWith } from "#adapters/config";
import { ROOT } from "./catalogue.js";

export interface CommandResult {
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

/** Runs `segue …` against the instance whose data lie in `folder`. */
export function segue(
	folder: string,
	args: readonly string[],
): Promise<CommandResult> {
	const env = environmentWith({
		SEGUE_DATA: folder,
		DATABASE_URL: undefined,
		NATS_URL: undefined,
	});
	return new Promise((resolve, reject) => {
		const child = spawn(process.execPath, ["dist/run/cli.js", ...args], {
			cwd: ROOT,
			env,
			stdio: ["ignore", "pipe", "pipe"],
		});
		const [out, err]: [string[], string[]] = [[], []];
		child.stdout
			.setEncoding("utf8")
			.on("data", (text: string) => out.push(text));
		child.stderr
			.setEncoding("utf8")
			.on("data", (text: string) => err.push(text));
		child.once("error", reject);
		child.once("close", (code) =>
			resolve({ code, stdout: out.join(""), stderr: err.join("") }),
		);
	});
}

/** Creates or changes the experiments of the files, and starts those that are drafts. */
export async function applyExperiments(
	folder: string,
	files: readonly string[],
): Promise<void> {
	const { code, stdout, stderr } = await segue(folder, [
		"experiments",
		"apply",
		...files,
		"--start",
	]);
	if (code !== 0)
		throw new Error(
			`segue experiments apply ended with code ${code}: ${stderr}${stdout}`,
		);
}

export interface ReplayVerdict {
	readonly equal: boolean;
	readonly decisions: number;
	readonly outcomes: number;
}

/** `segue replay`: folds the log from nothing and compares with the stored sums, bit for bit. */
export async function verifyReplay(folder: string): Promise<ReplayVerdict> {
	const { code, stdout, stderr } = await segue(folder, ["replay", "--json"]);
	const last = stdout.trim().split("\n").at(-1) ?? "";
	if (!last.startsWith("{"))
		throw new Error(
			`segue replay ended with code ${code} and said no result: ${stderr}${stdout}`,
		);
	return JSON.parse(last) as ReplayVerdict;
}
