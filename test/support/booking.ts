import {
	PostgresBookedLog,
	PostgresBookedReads,
	PostgresBookingLog,
} from "#adapters/postgres";
import type { Definition } from "#core/experiment";
import { BookDecisions, RecountBookings } from "#usecases/booking";
import type { Learn } from "#usecases/learning";
import { LedgerOfTest } from "./ledger.js";

/** A ledger of the test's own, of which the log is learned, booked, and counted again. */
export class BookingOfTest {
	readonly learn: Learn;
	readonly reads: PostgresBookedReads;

	private constructor(readonly ledger: LedgerOfTest) {
		this.learn = ledger.learning();
		this.reads = new PostgresBookedReads(ledger.database);
	}

	/** @param storedAt when the stream stored what is delivered, milliseconds */
	static async open(storedAt?: () => number): Promise<BookingOfTest> {
		return new BookingOfTest(await LedgerOfTest.open(storedAt));
	}

	close(): Promise<void> {
		return this.ledger.close();
	}

	/** As of a process of its own, which claims what it books. */
	log(): PostgresBookingLog {
		return new PostgresBookingLog(this.ledger.database, this.ledger.store);
	}

	/** As if whoever was at it had been gone for long. */
	freeClaims(): Promise<unknown> {
		return this.ledger.database.query(
			"update bookings set claimed_until = '-infinity', claimed_by = null",
		);
	}

	/** Books all that is ripe at an instant, milliseconds; by a process of its own unless it is said. */
	async book(
		clock: number,
		log = this.log(),
		pageSize?: number,
	): Promise<number> {
		await this.freeClaims();
		return new BookDecisions(log, () => false, pageSize).execute(clock);
	}

	/** What a recount of the log finds to differ from the rollups. */
	async differences({
		experiment: { key },
	}: Definition): Promise<readonly string[] | undefined> {
		const { experiments } = await this.recount(key);
		return experiments[0]?.differences;
	}

	async recount(key?: string) {
		await this.freeClaims();
		const { database, store } = this.ledger;
		return new RecountBookings(new PostgresBookedLog(database, store)).execute(
			key,
		);
	}
}
