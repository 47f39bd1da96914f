import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { Database, PostgresDefinitionStore } from "#adapters/postgres";
import { openJetStream } from "#adapters/stream";
import type { Definition } from "#core/experiment";
import {
	startDecider,
	startLearner,
	startServers,
	type Undo,
	withUndo,
} from "./decide/children.js";
import { experiment, KEY } from "./decide/experiment.js";
import { Pairs, publishAll } from "./learn/pairs.js";
import { PlainInserts } from "./learn/plain-inserts.js";
import {
	type BenchmarkOptions,
	benchmark,
	benchmarkOptions,
} from "./support/command.js";
import { medianRow } from "./support/ratio-row.js";

interface Options extends BenchmarkOptions {
	readonly rounds: string;
	readonly pairs: string;
	readonly lag: string;
	readonly profile?: string;
}
const options = benchmarkOptions<Options>(
	benchmark("bench:learn", "…")
		.option("--rounds <n>", "rounds", "5")
		.option("--pairs <n>", "pairs a round", "30000")
		.option("--lag <n>", "decisions between a decision and its outcome", "4000")
		.option("--profile <file>", "write the learner's CPU profile there"),
);
const rounds = Number(options.rounds);
const count = Number(options.pairs);
const lag = Number(options.lag);

await withUndo(async (undo: Undo) => {
	const servers = await startServers(undo);
	if (process.env.SCRATCH) {
		const pgm = (await import("pg")).default;
		const c = new pgm.Client({ connectionString: servers.databaseUrl });
		await c.connect();
		const n = new URL(servers.databaseUrl).pathname.slice(1);
		for (const s of [
			"session_preload_libraries='auto_explain'",
			"auto_explain.log_min_duration='60ms'",
			"auto_explain.log_analyze=on",
			"auto_explain.log_timing=off",
		])
			await c.query(`alter database "${n}" set ${s}`);
		await c.end();
		const { execSync } = await import("node:child_process");
		undo.add(
			async () =>
				void execSync(
					`cp ${servers.folder}/postgres/server.log /tmp/server.log`,
				),
		);
	}
	const learner = await startLearner(servers, undo);
	const decider = await startDecider(servers, undo);
	const send = (method: string, path: string, body: unknown) =>
		fetch(decider.url + path, {
			method,
			headers: { "content-type": "application/json" },
			body: JSON.stringify(body),
		});
	await send("PUT", `/v1/experiments/${KEY}`, experiment);
	await send("POST", `/v1/experiments/${KEY}/start`, {});
	await decider.stop();
	const database = new Database({
		connectionString: servers.databaseUrl,
		applicationName: "bench",
	});
	undo.add(() => database.close());
	const definition = (await new PostgresDefinitionStore(database).find(
		KEY,
	)) as Definition;
	const stream = await openJetStream({ servers: servers.natsUrl });
	undo.add(() => stream.close());
	const plain = await PlainInserts.prepare(servers.databaseUrl, 1_000);
	undo.add(() => plain.close());
	const make = new Pairs(definition);
	const boot = "019b0000-0000-7000-8000-000000000001";
	const ours: number[] = [];
	const base: number[] = [];
	const { execSync } = await import("node:child_process");
	const cpu = () => {
		const out = execSync("ps -eo ppid,pid,comm,args", { encoding: "utf8" });
		const pm = out.split("\n").find((l) => l.includes(servers.folder) && /postgres/.test(l) && l.includes("-D"))?.trim().split(/\s+/)[1];
		const nats = out.split("\n").find((l) => l.includes("nats-server") && l.includes(servers.folder))?.trim().split(/\s+/)[1];
		const { readFileSync } = require2("node:fs");
		const of = (pid: string) => { try { const f = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" "); return (Number(f[11]) + Number(f[12])) * 10; } catch { return 0; } };
		const pg = out.split("\n").map((l) => l.trim().split(/\s+/)).filter((l) => l[0] === pm || l[1] === pm).reduce((a, l) => a + of(l[1] as string), 0);
		return { pg, nats: nats ? of(nats) : 0, self: process.cpuUsage().user / 1e3 + process.cpuUsage().system / 1e3 };
	};
	const { createRequire } = await import("node:module");
	const require2 = createRequire(import.meta.url);
	for (let round = -1; round < rounds; round++) {
		const pairs = await make.make(count);
		const messages = make.encode(pairs, lag, boot);
		if (round === rounds - 1 && options.profile) await learner.ask("profile");
		await learner.ask("reset");
		let t = performance.now();
		const c0 = cpu();
		await publishAll(stream, messages, `round-${round}`);
		const published = performance.now() - t;
		while ((await stream.backlog()) > 0) await sleep(20);
		const o = count / ((performance.now() - t) / 1e3);
		const pauses = (await learner.ask("pauses")) as { processorMs: number };
		if (round === rounds - 1 && options.profile)
			(await import("node:fs")).writeFileSync(
				options.profile,
				JSON.stringify(await learner.ask("profiled")),
			);
		const c1 = cpu();
		t = performance.now();
		await plain.insert(pairs);
		const b = count / ((performance.now() - t) / 1e3);
		const c2 = cpu();
		const us = (a: number) => ((a * 1e3) / count).toFixed(0);
		console.log(`   µs/pair: learn pg ${us(c1.pg - c0.pg)} nats ${us(c1.nats - c0.nats)} publisher ${us(c1.self - c0.self)}; inserts pg ${us(c2.pg - c1.pg)} client ${us(c2.self - c1.self)}`);
		if (round >= 0) {
			ours.push(o);
			base.push(b);
		}
		console.log(
			`round ${round}: learn ${o.toFixed(0)} inserts ${b.toFixed(0)} ratio ${(o / b).toFixed(3)} published in ${published.toFixed(0)} ms, learner ${((pauses.processorMs * 1e3) / count).toFixed(0)} µs/pair load ${loadavg()[0]?.toFixed(1)}`,
		);
	}
	const c = await database.query(
		"select count(*) as n, (select count(*) from outcomes) as o, (select sum(exposed) from decision_states) as e from decisions",
	);
	console.log(
		c,
		medianRow(
			{ name: "learn", unit: "pairs/s", against: "inserts" },
			ours,
			base,
		),
	);
});
