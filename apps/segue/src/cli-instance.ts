import { readConfig } from "#adapters/config";
import { Database } from "#adapters/postgres";
import { readRuntime } from "../../boot/src/runtime-file.js";

/** The database of the instance: DATABASE_URL, else what the runtime file in SEGUE_DATA says. Throws a sentence where there is none. */
export async function openInstance(): Promise<Database> {
	const read = readConfig();
	if (!read.ok) throw new Error(read.problems.join("\n"));
	const { databaseUrl, dataFolder } = read.value;
	const connectionString =
		databaseUrl ?? (await readRuntime(dataFolder))?.databaseUrl;
	if (connectionString === undefined)
		throw new Error(
			`No Segue runs on ${dataFolder}: start it with npm start, or set SEGUE_DATA to its data folder, or DATABASE_URL to its database.`,
		);
	return new Database({
		connectionString,
		applicationName: "segue command line",
		most: 4,
	});
}
