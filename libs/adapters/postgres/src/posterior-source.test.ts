import { afterAll, beforeAll, expect, test } from "vitest";
import {
	createTestDatabase,
	type TestDatabase,
} from "../../../../test/support/database.js";
import { seededRandom } from "../../../../test/support/random.js";
import { Database, PostgresPosteriorSource } from "./index.js";
import { chunkCount, chunkOf } from "./sums-chunks.js";

const KEY = "read's";
/** Three chunks a row. */
const LENGTH = 561;
const ARMS = 45;
const BUCKETS = [20_000, 20_001];
const SHARDS = [0, 3, 16];

const random = seededRandom(17);
let own: TestDatabase;
let database: Database;
let source: PostgresPosteriorSource;
/** What was written, by arm and bucket, then by shard. */
const written = new Map<string, Map<number, Float64Array>>();

const armKey = (a: number) => `arm-${String(a).padStart(2, "0")}`;

beforeAll(async () => {
	own = await createTestDatabase({ migrated: true });
	database = new Database({
		connectionString: own.connectionString,
		applicationName: "test",
	});
	source = new PostgresPosteriorSource(database);
	await revision(1, 1);
	for (let a = 0; a < ARMS; a++)
		for (const bucket of BUCKETS)
			for (const shard of SHARDS.slice(0, 1 + (a % SHARDS.length)))
				await write(armKey(a), bucket, shard, 1);
	await write("arm-00", 20_000, 0, 1, { version: 2 });
	await write("arm-00", 20_000, 0, 1, { experiment: "another" });
});
afterAll(async () => {
	await database?.close();
	await own?.drop();
});

async function revision(number: number, batch: number): Promise<void> {
	await database.query(
		`insert into revisions (experiment, revision) values ($1, $2)
		on conflict (experiment) do update set revision = excluded.revision`,
		[KEY, number],
	);
	await database.query(
		"insert into revision_log (experiment, revision, batch) values ($1, $2, $3)",
		[KEY, number, batch],
	);
}

async function write(
	arm: string,
	bucket: number,
	shard: number,
	batch: number,
	{ version = 1, experiment = KEY } = {},
): Promise<void> {
	const sums = Float64Array.from(
		{ length: LENGTH },
		() => Math.round((random() - 0.5) * 2 ** 30) / 2 ** 24,
	);
	const chunks = Array.from({ length: chunkCount(LENGTH) }, (_, chunk) => {
		const { buffer, byteOffset, byteLength } = chunkOf(sums, chunk);
		return Buffer.from(buffer, byteOffset, byteLength);
	});
	await database.query(
		`insert into sums (experiment, version, arm, bucket, shard, chunk, batch, data)
		select $1, $2, $3, $4, $5, c.place - 1, $6, c.data from unnest($7::bytea[]) with ordinality c (data, place)
		on conflict (experiment, version, arm, bucket, shard, chunk) do update set batch = excluded.batch, data = excluded.data`,
		[experiment, version, arm, bucket, shard, batch, chunks],
	);
	if (version !== 1 || experiment !== KEY) return;
	const shards = written.get(`${arm} ${bucket}`) ?? new Map();
	written.set(`${arm} ${bucket}`, shards.set(shard, sums));
}

/** Shards added up, of all that was written or of what the arm and bucket are named of. */
function expected(keys: Iterable<string> = written.keys()) {
	return new Map(
		[...keys].map((key) => {
			const shards = [
				...(written.get(key) as Map<number, Float64Array>).values(),
			];
			const total = shards.reduce((sum, one) =>
				sum.map((v, i) => v + (one[i] as number)),
			);
			return [key, total];
		}),
	);
}

async function read(since: number) {
	const { revision, changed } = await source.read(KEY, 1, since);
	const sums = new Map(
		changed.map((one) => [`${one.arm} ${one.bucket}`, one.sums]),
	);
	expect(sums.size).toBe(changed.length);
	return { revision, sums };
}

test("a whole posterior, larger than is read at once, is each arm's and bucket's shards added up, in order of arm and bucket", async () => {
	const { revision, sums } = await read(0);
	expect(revision).toBe(1);
	expect([...sums.keys()]).toEqual([...written.keys()]);
	expect(sums).toEqual(expected());
});

test("since a revision only what moved is read, few buckets or many, and what was read before stays as it was", async () => {
	const first = await read(0);
	const before = expected();
	await write("arm-07", 20_001, 0, 2);
	await revision(2, 2);
	const few = await read(1);
	expect(few.revision).toBe(2);
	expect(few.sums).toEqual(expected(["arm-07 20001"]));

	const moved = Array.from({ length: ARMS }, (_, a) => armKey(a)).filter(
		(_, a) => a % 2 === 0,
	);
	for (const arm of moved) await write(arm, 20_000, 0, 3);
	await revision(3, 3);
	const many = await read(2);
	expect(many.revision).toBe(3);
	expect(many.sums).toEqual(expected(moved.map((arm) => `${arm} 20000`)));
	expect((await read(3)).sums.size).toBe(0);
	expect(first.sums).toEqual(before);
});
