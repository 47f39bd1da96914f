import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { answering, silent } from "../../../../test/support/embedded.js";
import { Supervisor } from "./supervisor.js";

async function sleeper() {
	const child = spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
	await once(child, "spawn");
	return child;
}

const rest = {
	name: "sleeper",
	stopSignal: "SIGTERM",
	graceMs: 5_000,
	log: silent,
} as const;

describe("Supervisor", () => {
	it("rejects where the first launch does", async () => {
		const launch = () => Promise.reject(new Error("no room"));
		await expect(Supervisor.start({ ...rest, launch })).rejects.toThrow(
			"no room",
		);
	});

	it("tries again until a launch succeeds", async () => {
		let launches = 0;
		const launch = async () => {
			launches++;
			if (launches === 2 || launches === 3) throw new Error("no room");
			return sleeper();
		};
		const supervisor = await Supervisor.start({ ...rest, launch });
		const first = supervisor.pid;
		process.kill(first, "SIGKILL");
		await answering(async () => {
			if (supervisor.pid === first) throw new Error("not yet");
		});
		expect(launches).toBe(4);
		await supervisor.stop();
	});

	it("ends what lives and serves no more, at so many askings in a row, and launches it again", async () => {
		const said = [true, false, false, true, false, false, false];
		let launches = 0;
		let asked = 0;
		const supervisor = await Supervisor.start({
			...rest,
			launch: () => {
				launches++;
				return sleeper();
			},
			watchdog: {
				serves: async () => {
					expect(launches).toBe(asked < said.length ? 1 : 2);
					return said[asked++] ?? true;
				},
				everyMs: 1,
				patience: 3,
			},
		});
		const first = supervisor.pid;
		await answering(async () => {
			if (supervisor.pid === first || asked < said.length + 2)
				throw new Error("not yet");
		});
		await supervisor.stop();
		const askedByThen = asked;
		await new Promise((resolve) => setTimeout(resolve, 50));
		expect({ launches, asked }).toEqual({ launches: 2, asked: askedByThen });
	});

	it("launches nothing after a stop, also where the process had just died", async () => {
		let launches = 0;
		const launch = () => {
			launches++;
			return sleeper();
		};
		const supervisor = await Supervisor.start({ ...rest, launch });
		process.kill(supervisor.pid, "SIGKILL");
		await supervisor.stop();
		expect(launches).toBe(1);
	});

	it("kills what does not end by itself", async () => {
		const launch = async () => {
			const child = spawn(
				process.execPath,
				[
					"-e",
					"process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)",
				],
				{ stdio: ["ignore", "pipe", "ignore"] },
			);
			await once(child.stdout, "data");
			return child;
		};
		const supervisor = await Supervisor.start({
			...rest,
			graceMs: 100,
			launch,
		});
		const { pid } = supervisor;
		await supervisor.stop();
		expect(() => process.kill(pid, 0)).toThrow("ESRCH");
	});
});
