import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
	type ErrorKind,
	errorCatalogue,
	fail,
	SegueError,
	toProblem,
} from "../src/index.js";

const page = readFileSync(
	new URL("../../../../docs/errors.md", import.meta.url),
	"utf8",
);

test("docs/errors.md lists exactly the codes there are, each with its status, meaning and remedy", () => {
	const documented = [
		...page.matchAll(
			/^\| <a id="([^"]+)"><\/a>`([^`]+)` \| (\d+) \| (.+) \| (.+) \|$/gm,
		),
	].map(([, anchor, code, status, title, remedy]) => ({
		anchor,
		code,
		status: Number(status),
		title,
		remedy,
	}));
	const catalogued = Object.entries(errorCatalogue).map(
		([code, { status, title, remedy }]) => ({
			anchor: code,
			code,
			status,
			title: `${title}.`,
			remedy,
		}),
	);
	expect(documented).toEqual(catalogued);
});

describe("a problem", () => {
	for (const [code, kind] of Object.entries(errorCatalogue) as [
		keyof typeof errorCatalogue,
		ErrorKind,
	][])
		test(`of ${code} has its status, and a remedy that is a sentence`, () => {
			const error = fail(code, "What is wrong.", [
				{ path: "a.b", message: "Must be c." },
			]);
			expect(toProblem(error)).toEqual({
				type: `/docs/errors#${code}`,
				title: kind.title,
				status: kind.status,
				detail: "What is wrong.",
				errors: [{ path: "a.b", message: "Must be c." }],
				...(kind.status === 503 && {
					retryAfterSeconds: kind.retryAfterSeconds,
				}),
			});
			expect(kind.remedy).toMatch(/^[A-Z`/].*\.$/);
		});

	test("of an error that is none of the catalogue tells nothing of it", () => {
		const problem = toProblem(new TypeError("password=hunter2"));
		expect(problem).toMatchObject({
			status: 500,
			type: "/docs/errors#internal",
			errors: [],
		});
		expect(JSON.stringify(problem)).not.toContain("hunter2");
	});

	test("has an error's own members beside those of every problem, and not in their place", () => {
		const members = { events: [{ id: "e" }], status: 200 };
		const problem = toProblem(fail("unknown-decision", "No.", [], { members }));
		expect(problem).toMatchObject({ events: [{ id: "e" }], status: 404 });
	});

	test("keeps what caused it for the log alone", () => {
		const cause = new Error("socket hang up");
		const error = fail("database-away", "The database is away.", [], { cause });
		expect(error).toBeInstanceOf(SegueError);
		expect(error.cause).toBe(cause);
		expect(JSON.stringify(toProblem(error))).not.toContain("hang up");
	});
});
