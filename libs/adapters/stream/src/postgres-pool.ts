import pg from "pg";
import type { OnProblem } from "./options.js";

const QUERY_MS = 5_000;
/** The wait for a free connection counts as well; a publish gives up by its own timeout before. */
const CONNECT_MS = 30_000;

/** `commit` is set for each session, whatever the server's default. */
export function openPool(
	connectionString: string,
	max: number,
	commit: "on" | "off",
	onProblem: OnProblem,
): pg.Pool {
	const pool = new pg.Pool({
		connectionString,
		max,
		application_name: "segue stream",
		connectionTimeoutMillis: CONNECT_MS,
		query_timeout: QUERY_MS,
		keepAlive: true,
		onConnect: async (client) => {
			await client.query(`set synchronous_commit = ${commit}`);
		},
	});
	pool.on("error", (error) =>
		onProblem(
			"An idle connection of the stream was cut; the next one is made anew.",
			error,
		),
	);
	return pool;
}
