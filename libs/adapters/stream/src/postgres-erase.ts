import type { Pool } from "pg";
import type { Left, RemovedMessages } from "#usecases/erasing";

/** A message has 512 KiB at most, mostly. */
const PAGE = 16;

interface Row {
	position: string;
	body: Buffer;
	waiting: boolean;
}

/**
 * Goes through the messages in order. Those that learners have acknowledged lose the items, or go; one that waits for a learner stays
 * as it is, since the items that follow would change their place in it.
 */
export async function eraseRows(
	pool: Pool,
	takeOut: (body: Uint8Array) => Left,
	withinMs: number,
): Promise<RemovedMessages> {
	const deadline = performance.now() + withinMs;
	const removed = { deleted: 0, shortened: 0, left: 0 };
	for (let after = "0"; ; ) {
		const { rows } = await pool.query<Row>(
			`select m.position, m.body,
				exists (select from stream_unacknowledged w where w.position = m.position) as waiting
			from stream_messages m where m.position > $1 order by m.position limit $2`,
			[after, PAGE],
		);
		for (const { position, body, waiting } of rows) {
			const left = takeOut(body);
			if (left === "all") continue;
			if (waiting) removed.left += 1;
			else if (left === "nothing") {
				await deleteMessage(pool, position);
				removed.deleted += 1;
			} else {
				await shortenMessage(pool, position, left);
				removed.shortened += 1;
			}
		}
		if (rows.length < PAGE) return { ...removed, complete: true };
		if (performance.now() >= deadline) return { ...removed, complete: false };
		after = rows.at(-1)?.position ?? after;
	}
}

async function deleteMessage(pool: Pool, position: string): Promise<void> {
	await pool.query("delete from stream_messages where position = $1", [
		position,
	]);
}

async function shortenMessage(
	pool: Pool,
	position: string,
	body: Uint8Array,
): Promise<void> {
	await pool.query("update stream_messages set body = $2 where position = $1", [
		position,
		body,
	]);
}
