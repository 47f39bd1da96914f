// The tests run against a real nats-server: found, or installed by the system's package manager.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";

const PLACES = [
	"/usr/sbin/nats-server",
	"/usr/local/bin/nats-server",
	"/usr/local/sbin/nats-server",
	"/opt/homebrew/bin/nats-server",
];

function onPath(name) {
	return (
		spawnSync("/bin/sh", ["-c", 'command -v "$1"', "sh", name]).status === 0
	);
}

function found() {
	return onPath("nats-server") || PLACES.some((place) => existsSync(place));
}

function run(program, args, env = {}) {
	console.error(`$ ${program} ${args.join(" ")}`);
	return (
		spawnSync(program, args, {
			stdio: ["ignore", 2, 2],
			env: { ...process.env, ...env },
		}).status === 0
	);
}

/** Debian's package starts a service on port 4222, which nobody here asked for: it is told not to. */
function installWithApt() {
	const env = { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
	const install = ["install", "-y", "--no-install-recommends", "nats-server"];
	run("apt-get", ["update"], env);
	if (!run("apt-get", install, env)) return;
	if (onPath("systemctl") && existsSync("/run/systemd/system"))
		run("systemctl", ["disable", "--now", "nats-server"]);
}

export function ensureNatsServer() {
	if (found()) return;
	const root = process.getuid?.() === 0;
	if (onPath("apt-get") && root) installWithApt();
	else if (onPath("brew")) run("brew", ["install", "nats-server"]);
	if (found()) return;
	console.error(
		"The tests need nats-server, which is not installed and could not be installed here: run apt-get install nats-server as root, or brew install nats-server, or put a release from https://github.com/nats-io/nats-server/releases on PATH.",
	);
	process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) ensureNatsServer();
