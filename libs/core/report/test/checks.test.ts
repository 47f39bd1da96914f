import { describe, expect, test } from "vitest";
import { makeReport } from "../src/index.js";
import { definitionOf, inputOf, type Row } from "./builders.js";
import { groups, PLANNED, planned } from "./planned.js";

describe("checks", () => {
	const check = (name: string, ...input: Parameters<typeof inputOf>) =>
		makeReport(inputOf(...input)).checks.find((one) => one.check === name);

	test("the same units in both groups", () => {
		const input = inputOf(groups(500, 250, 250), planned);
		const epochs = input.booked.epochs.map((epoch) => ({
			...epoch,
			inBoth: 20,
		}));
		const { checks } = makeReport({
			...input,
			booked: { ...input.booked, epochs },
		});
		expect(
			checks.find(({ check }) => check === "units in both groups"),
		).toMatchObject({ status: "failed" });
	});

	test("packs that never came", () => {
		expect(
			check("lost rows", groups(150, 90, 60), planned, { lostPacks: 2 }),
		).toMatchObject({ status: "failed" });
		expect(check("lost rows", groups(150, 90, 60), planned)).toMatchObject({
			status: "not enough evidence",
		});
	});

	test("rows that are lost by the arm they drew", () => {
		const input = inputOf(groups(150, 90, 60), planned);
		const drawn = (quiet: number) =>
			makeReport({
				...input,
				booked: {
					...input.booked,
					draws: [
						["focus", 5_000],
						["calm", quiet],
					].map(([arm, drawn]) => ({
						epoch: 1,
						group: "policy" as const,
						arm: arm as string,
						eligible: 10_000,
						drawn: drawn as number,
						expected: 5_000,
						variance: 2_500,
					})),
				},
			}).checks.find(({ check }) => check === "lost rows");
		expect(drawn(4_980)?.status).toBe("passed");
		expect(drawn(4_500)).toMatchObject({ status: "failed" });
		expect(drawn(4_500)?.sentence).toMatch(/^calm was drawn 500 times less/);
	});

	test("showing that depends on the arm, among control's decisions", () => {
		const shown = (arm: string, of: number): Row[] =>
			Array.from({ length: 1000 }, (_, i) => ({
				group: "control" as const,
				arm,
				unit: `${arm}-${i}`,
				...(i < of ? { reward: 0 } : {}),
			}));
		expect(
			check("showing", [...shown("focus", 900), ...shown("calm", 890)], planned)
				?.status,
		).toBe("passed");
		expect(
			check("showing", [...shown("focus", 900), ...shown("calm", 600)], planned)
				?.status,
		).toBe("failed");
	});

	test("a difference where policy and control do the same", () => {
		const same = definitionOf({ ...PLANNED, policy: { kind: "uniform" } });
		expect(check("A/A", groups(1000, 500, 500), same)?.status).toBe("passed");
		expect(check("A/A", groups(1000, 700, 500), same)?.status).toBe("failed");
		expect(check("A/A", groups(1000, 700, 500), planned)).toBeUndefined();
		// In between it was another.
		const edited = makeReport(
			inputOf(groups(1000, 700, 500), same, { hasOnePolicy: false }),
		);
		expect(edited.checks.map(({ check }) => check)).not.toContain("A/A");
		expect(edited.answer.verdict).toBe("ship");
	});
});
