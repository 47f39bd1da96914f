import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { type Database, PostgresErasure } from "#adapters/postgres";
import { PRINTABLE } from "#core/experiment";
import { type BulkReceipt, EraseUnits } from "#usecases/erasing";
import type { Stream } from "#usecases/ingesting";
import { MOST_STREAM_KEEP_MS } from "../../boot/src/stream-keep.js";
import {
	openInstance,
	openInstanceWithStream,
	openPseudonyms,
} from "./cli-instance.js";

const MOST_TOLD = 20;

/** Erases every unit of a file, one a line (`-`: standard input). 0 where all were erased, 1 where it had to stop early. */
export async function eraseUnits(options: {
	readonly file: string;
	readonly json?: boolean;
}): Promise<number> {
	const units = readUnits(
		options.file === "-"
			? await text(process.stdin)
			: await readFile(options.file, "utf8"),
	);
	const { database, stream } = await open();
	try {
		const pseudonyms = await openPseudonyms(database);
		const receipt = await new EraseUnits(
			{
				erasure: new PostgresErasure(database),
				stream,
				clock: { now: () => Date.now() },
			},
			MOST_STREAM_KEEP_MS,
			progress(units.length),
			pseudonyms === null ? undefined : (unit) => pseudonyms.all(unit),
		).execute(units);
		if (process.stderr.isTTY) process.stderr.write("\n");
		if (options.json) console.log(JSON.stringify(receipt));
		else printReceipt(receipt);
		return receipt.stopped === null ? 0 : 1;
	} finally {
		await stream?.close();
		await database.close();
	}
}

/** A stream out of reach holds up no erasure: what it has is refused when it comes, and purged. */
async function open(): Promise<{
	readonly database: Database;
	readonly stream: Stream | null;
}> {
	try {
		return await openInstanceWithStream();
	} catch (error) {
		const database = await openInstance();
		console.error(
			`The stream is not looked through: ${error instanceof Error ? error.message : String(error)}`,
		);
		return { database, stream: null };
	}
}

/** Throws with every line that is no unit before anything is erased. */
function readUnits(file: string): string[] {
	const lines = file.split(/\r?\n/);
	const bad = lines.flatMap((line, i) =>
		line === "" || PRINTABLE.test(line)
			? []
			: [`Line ${i + 1} is no unit: a unit has 1 to 256 printable characters.`],
	);
	if (bad.length > 0)
		throw new Error(
			`${bad.slice(0, MOST_TOLD).join("\n")}\nNothing was erased.`,
		);
	return lines.filter((line) => line !== "");
}

function progress(of: number): (units: number) => void {
	return (units) => {
		if (process.stderr.isTTY)
			process.stderr.write(`\rerased ${units} of ${of} units`);
	};
}

function printReceipt(receipt: BulkReceipt): void {
	const { units, asked, erasedAt, removed, revisions, remains } = receipt;
	console.log(
		`Erased ${units} of ${asked} units${erasedAt === null ? "" : `, up to ${erasedAt}`}.`,
	);
	console.log(
		`Removed: ${Object.entries(removed)
			.map(([what, count]) => `${what} ${count}`)
			.join(", ")}.`,
	);
	for (const [experiment, revision] of Object.entries(revisions))
		console.log(`${experiment} is free of them from revision ${revision} on.`);
	for (const { where, why, until } of remains)
		console.log(
			`Remains: ${where}${until === null ? "" : `, until ${until}`}. ${why}`,
		);
	if (receipt.stopped !== null)
		console.error(
			`Stopped: ${receipt.stopped} Erase the same file again for the rest.`,
		);
}
