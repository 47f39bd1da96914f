// npm run build:kernel: compiles the scoring kernel and writes its bytes, as text, into the source of the core. With --check it writes
// nothing, and fails where the file is not what the kernel's source compiles to.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const FOLDER = "libs/core/linalg/assembly";
const GENERATED = "libs/core/linalg/src/kernel-bytes.ts";
const COLUMNS = 76;

const OPTIONS = [
	"-O3",
	"--noAssert",
	"--runtime=stub",
	"--enable=simd",
	"--importMemory",
	"--zeroFilledMemory",
	"--outFile=kernel.wasm",
];

/** @returns {Promise<Uint8Array>} */
async function compileKernel() {
	const { default: asc } = await import("assemblyscript/asc");
	let bytes = null;
	const { error, stderr } = await asc.main(["index.ts", ...OPTIONS], {
		readFile: (name) => {
			try {
				return readFileSync(join(root, FOLDER, name), "utf8");
			} catch {
				return null;
			}
		},
		writeFile: (name, contents) => {
			if (name === "kernel.wasm") bytes = contents;
		},
		listFiles: () => [],
	});
	if (error || bytes === null)
		throw new Error(`The kernel does not compile.\n${stderr}`);
	return bytes;
}

/** @returns {Promise<string>} the text of GENERATED */
async function kernelSource() {
	const text = Buffer.from(await compileKernel()).toString("base64");
	const lines = text.match(new RegExp(`.{1,${COLUMNS}}`, "g"));
	return `// Made by scripts/build-kernel.mjs from ../assembly: change it there, then run npm run build:kernel.
// biome-ignore-all format: generated
/** The bytes of the WebAssembly module, in base64. */
export const KERNEL_BYTES = [
${lines.map((line) => `\t"${line}",`).join("\n")}
].join("");
`;
}

const source = await kernelSource();
if (process.argv.includes("--check")) {
	if (readFileSync(join(root, GENERATED), "utf8") !== source) {
		console.error(
			`${GENERATED} is not what ${FOLDER} compiles to: run npm run build:kernel and commit both.`,
		);
		process.exitCode = 1;
	}
} else {
	writeFileSync(join(root, GENERATED), source);
	console.error(`Wrote ${GENERATED}.`);
}
