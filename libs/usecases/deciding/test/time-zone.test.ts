import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readTimeZone } from "../src/time-zone.js";

const SEED = Number(process.env.SEED ?? 20_261_126);
const hourIn = (zone: string, at: string) =>
	readTimeZone(zone)?.hourAt(Date.parse(at));

describe("the hour of the day", () => {
	it.each([
		["Europe/Berlin", "2026-01-05T12:00:00Z", 13],
		["Europe/Berlin", "2026-07-05T12:00:00Z", 14],
		["America/New_York", "2026-01-05T02:15:00Z", 21.25],
		["Asia/Kolkata", "2026-01-05T20:00:00Z", 1.5],
		["Asia/Calcutta", "2026-01-05T20:00:00Z", 1.5],
		["Asia/Kathmandu", "2026-01-05T00:00:00Z", 5.75],
		["Australia/Lord_Howe", "2026-07-05T00:00:00Z", 10.5],
		["Pacific/Kiritimati", "2026-01-05T12:00:00Z", 2],
		["UTC", "2026-01-05T23:59:59.999Z", 23.99],
		["europe/berlin", "2026-01-05T23:00:00Z", 0],
		["+02:00", "2026-01-05T23:30:00Z", 1.5],
		["-0330", "2026-01-05T03:29:24Z", 23.99],
		["+14", "2026-01-05T12:00:36Z", 2.01],
		["-00:00", "2026-01-05T12:00:00Z", 12],
	])("in %s at %s is %d", (zone, at, hour) => {
		expect(hourIn(zone, at)).toBe(hour);
	});

	it("skips an hour when summer time begins, and comes twice when it ends, to the minute", () => {
		expect(hourIn("Europe/Berlin", "2026-03-29T00:59:59Z")).toBe(1.99);
		expect(hourIn("Europe/Berlin", "2026-03-29T01:00:00Z")).toBe(3);
		expect(hourIn("Europe/Berlin", "2026-10-25T00:59:59Z")).toBe(2.99);
		expect(hourIn("Europe/Berlin", "2026-10-25T01:00:00Z")).toBe(2);
	});

	it(`is the same in whatever order instants are asked for, and as an independent clock shows it (SEED=${SEED})`, () => {
		const zones = ["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"];
		const instant = fc.integer({
			min: Date.UTC(2020, 0, 1),
			max: Date.UTC(2035, 0, 1),
		});
		fc.assert(
			fc.property(fc.constantFrom(...zones), instant, (timeZone, now) => {
				// "sv-SE" writes 2026-01-05 13:00:00.
				const shown = new Date(now).toLocaleString("sv-SE", { timeZone });
				const [hours, minutes, seconds] = shown
					.slice(11)
					.split(":")
					.map(Number) as [number, number, number];
				const hour = hours + minutes / 60 + seconds / 3600;
				const ours = readTimeZone(timeZone)!.hourAt(now);
				expect(ours).toBeGreaterThanOrEqual(0);
				expect(ours).toBeLessThan(24);
				expect(hour - ours).toBeGreaterThan(-1e-9);
				expect(hour - ours).toBeLessThan(0.01 + 1e-9);
			}),
			{ seed: SEED, numRuns: 2_000 },
		);
	});
});

it.each([
	"Mars/Base",
	"",
	"+15:00",
	"+02:60",
	"+2",
	"02:00",
	"Europe/Berlin ",
	"x".repeat(1_000),
	"__proto__",
	"constructor",
	3,
	null,
	["UTC"],
])("%j is no time zone", (text) => {
	expect(readTimeZone(text)).toBeNull();
});
