// Puts the compiled apps, and the packages they stand on, into the few files of dist/run. An app is some 1,300 modules, and to find, open
// and link each of them takes longer than all else at its start.
import {
	existsSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const INPUT = {
	segue: "dist/apps/segue/src/main.js",
	decider: "dist/apps/decider/src/main.js",
	learner: "dist/apps/learner/src/main.js",
	demo: "dist/apps/demo/src/main.js",
	cli: "dist/apps/segue/src/cli.js",
};

/** What Nest and pg ask for only where it is installed. */
const EXTERNAL = [
	/^@nestjs\/(websockets|platform-express)/,
	/^class-(transformer|validator)/,
	/^@fastify\/(view|multipart)/,
	/^pg-native$/,
	/^(amqp-connection-manager|amqplib|ioredis|kafkajs|mqtt)$/,
];

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, "dist", "run");
const LICENCE = /^(licen[cs]e|copying|notice)/i;
const LICENCE_IN_README = /^#* *licen[cs]e\b[\s\S]*/im;

/** Rejects where anything is imported that is neither there nor listed above. */
async function bundle() {
	const [fresh, old] = [`${folder}.new`, `${folder}.old`];
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
		for (const left of [fresh, old])
			rmSync(left, { recursive: true, force: true });
		const { output } = await building.write({
			dir: fresh,
			format: "esm",
			sourcemap: true,
			entryFileNames: "[name].js",
			chunkFileNames: "parts/[name]-[hash].js",
		});
		if (problems.length > 0) throw new Error(problems.join("\n"));
		const files = output.flatMap(({ moduleIds }) => moduleIds ?? []);
		writeFileSync(join(fresh, "LICENCES.txt"), licencesOf(files));
		// Whoever starts meanwhile finds the old one or the new one, whole.
		if (existsSync(folder)) renameSync(folder, old);
		renameSync(fresh, folder);
		rmSync(old, { recursive: true, force: true });
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
			const words = wordsOf(folder);
			return [`${name} ${version}: ${license}`, ...words].join("\n\n");
		})
		.join("\n\n----\n\n");
}

function wordsOf(folder) {
	const files = readdirSync(folder, { withFileTypes: true })
		.filter((file) => file.isFile())
		.map(({ name }) => name);
	const read = (file) => readFileSync(join(folder, file), "utf8");
	const own = files.filter((file) => LICENCE.test(file)).map(read);
	const readmes = files.filter((file) => /^readme/i.test(file)).map(read);
	const words =
		own.length > 0
			? own
			: readmes.flatMap((text) => LICENCE_IN_README.exec(text)?.[0] ?? []);
	return words.map((text) => text.trim());
}

try {
	await bundle();
} catch (error) {
	console.error(error.message);
	process.exitCode = 1;
}
