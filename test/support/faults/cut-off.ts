import { Database } from "#adapters/postgres";
import { startTripwire, type Tripwire } from "./tripwire.js";
import { postgres } from "./wire-frames.js";

/** Fits the n-th statement that is said; `seen` tells which it was. */
class Nth extends RegExp {
	seen = "";

	constructor(private left: number) {
		super("");
	}

	override test(said: string): boolean {
		// A statement with values is said twice: as it is parsed, and as values are bound to it.
		if (said === "" || said === "startup" || said === this.seen) return false;
		this.seen = said;
		this.left -= 1;
		return this.left === 0;
	}
}

/** A way to a database that ends in the midst of some work, as it does for a process that is killed. */
export class CutOff {
	private constructor(
		private readonly wire: Tripwire,
		private readonly connectionString: string,
	) {}

	static async to(connectionString: string): Promise<CutOff> {
		const url = new URL(connectionString);
		const wire = await startTripwire(
			{ host: url.hostname, port: Number(url.port) },
			postgres,
		);
		url.port = String(wire.port);
		return new CutOff(wire, url.href);
	}

	close(): Promise<void> {
		return this.wire.close();
	}

	/**
	 * Does the work on connections of its own, of which the one is lost that says the n-th statement, before the database hears it. Returns
	 * that statement; null where the work says fewer.
	 */
	before(
		n: number,
		work: (database: Database) => Promise<unknown>,
	): Promise<string | null> {
		const nth = new Nth(n);
		const met = this.wire.lay({ from: "client", says: nth });
		return this.#cut(work, met, () => nth.seen);
	}

	/** The same where the database has committed what says `behind`, and the process never hears of it. */
	afterCommit(
		behind: RegExp,
		work: (database: Database) => Promise<unknown>,
	): Promise<string | null> {
		const mark = { from: "server", says: /^COMMIT$/, behind } as const;
		return this.#cut(work, this.wire.lay(mark), () => "commit");
	}

	async #cut(
		work: (database: Database) => Promise<unknown>,
		met: Promise<unknown>,
		what: () => string,
	): Promise<string | null> {
		const database = new Database({
			connectionString: this.connectionString,
			applicationName: "test",
		});
		const working = work(database).then(
			() => null,
			() => null,
		);
		const cut = await Promise.race([met.then(what), working]);
		this.wire.lose();
		await working;
		await database.close();
		return cut;
	}
}
