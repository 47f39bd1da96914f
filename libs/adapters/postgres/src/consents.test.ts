import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NO_CONSENT } from "#core/privacy";
import { LedgerOfTest } from "../../../../test/support/ledger.js";
import {
	PostgresConsents,
	PostgresErasure,
	PostgresProfiles,
} from "./index.js";

const PATIENCE_MS = 20_000;
const yes = { ...NO_CONSENT, answers: { personalization: true } };

let log: LedgerOfTest;
let consents: PostgresConsents;
let profiles: PostgresProfiles;
let erasure: PostgresErasure;
beforeAll(async () => {
	log = await LedgerOfTest.open();
	consents = new PostgresConsents(log.database);
	profiles = new PostgresProfiles(log.database);
	erasure = new PostgresErasure(log.database);
});
afterAll(() => log?.close());

const late = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const has = async (unit: string) => (await consents.read([unit])).has(unit);

describe("an erasure", () => {
	test("removes the consents of its units and of no others, and counts them", async () => {
		for (const unit of ["gone-1", "gone-2", "stays"])
			await consents.put(unit, yes, []);
		const { removed } = await erasure.erase(
			["gone-1", "gone-2", "nobody"],
			PATIENCE_MS,
		);
		expect(removed.consents).toBe(2);
		expect(await has("gone-1")).toBe(false);
		expect(await has("stays")).toBe(true);
	});

	test("comes whole before or after a put", async () => {
		for (let i = 0; i < 30; i++) {
			const unit = `races-${i}`;
			const [put, { erasedAt, removed }] = await Promise.all([
				late(i % 4).then(() => consents.put(unit, yes, [])),
				erasure.erase([unit], PATIENCE_MS),
			]);
			const after = Math.floor(put.updatedAt) > erasedAt;
			expect({ left: await has(unit), removed: removed.consents }).toEqual({
				left: after,
				removed: after ? 0 : 1,
			});
		}
	});
});

test("a profile that is put for the first time beside a withdrawal keeps nothing that was withdrawn", async () => {
	for (let i = 0; i < 40; i++) {
		const unit = `beside-${i}`;
		await consents.put(unit, yes, []);
		const withdrawn = { ...NO_CONSENT, answers: { personalization: false } };
		const putting = (async () => {
			await late(i % 3);
			await profiles.put(unit, { loyalty: 1, tempo: 2 });
			// As whoever puts a profile does: it looks at the consent again.
			const now = (await consents.read([unit])).get(unit);
			if (now?.values.answers.personalization === false)
				await profiles.put(unit, { tempo: 2 });
		})();
		await Promise.all([
			putting,
			consents.put(unit, withdrawn, ["loyalty", "taste"]),
		]);
		const left = (await profiles.read([unit])).get(unit);
		expect(left?.values).toEqual({ tempo: 2 });
	}
});
