import { describe, expect, it } from "vitest";
import {
	isNotStored,
	isPreciseLocation,
	PRECISE_LOCATION,
	whyNameIsNotStored,
	whyTextIsNotStored,
} from "./index.js";

describe("a text that no definition lists", () => {
	it.each([
		"",
		"focus",
		"watch-os_11.2",
		"São-Paulo",
		"運動",
		"x".repeat(64),
		"52.52",
		"-0.125",
		"v1.25.10",
		"1.10.20-1.10.30",
		"10.0.22631.3007",
		"26.11.2026-27.11.2026",
		"1.5-2.5",
		"10,20,30,40",
		"12:30-14:45",
	])("may be the label %j", (text) => {
		expect(whyTextIsNotStored(text)).toBeNull();
	});

	it.each([
		["a space", "call me"],
		["a tab", "call\tme"],
		["a line", "call\nme"],
		["an @", "me@example.org"],
		["a NUL", "a\u0000b"],
		["an escape", "a\u001bb"],
		["a space that does not break", "call\u00a0me"],
		["an ideographic space", "call\u3000me"],
		["a line separator", "call\u2028me"],
		["an empty Braille cell", "call\u2800me"],
		["a space of no width", "call\u200bme"],
		["a joiner of no width", "call\u200dme"],
		["a byte order mark", "call\ufeffme"],
		["a soft hyphen", "call\u00adme"],
		["a word joiner", "call\u2060me"],
		["a Hangul filler", "call\u3164me"],
		["a tag", "call\u{e0020}me"],
		["a private character", "call\ue000me"],
		["half of a surrogate pair", "call\ud800me"],
		["65 characters", "x".repeat(65)],
	])("is no label with %s", (_, text) => {
		expect(whyTextIsNotStored(text)).toBe(
			"must be a label of at most 64 characters without spaces, invisible characters or @, since free text is not stored",
		);
	});

	it.each([
		"52.52000,13.40500",
		"52.52_13.40",
		"-33.86;151.21",
		"52.52/13.40",
		"+52.52+013.40/",
		"52.52-13.40",
		"52,5200;13,4050",
		"geo:52.5200,13.4050",
		"lat=52.52&lon=13.40",
		"52.52N13.40E",
		"15,52.52,13.40",
	])("is no place as exact as %s", (text) => {
		expect(whyTextIsNotStored(text)).toBe(
			"is a pair of coordinates, a precise location, which is not stored: use a place (home, gym, commute) or a region instead",
		);
	});
});

it("judges a text of any one ASCII character alike, alone or in a label", () => {
	const refused = Array.from({ length: 128 }, (_, code) =>
		String.fromCharCode(code),
	).filter((sign) => {
		const alone = whyTextIsNotStored(sign);
		expect(whyTextIsNotStored(`listener${sign}7`)).toBe(alone);
		return alone !== null;
	});
	const controls = Array.from({ length: 0x20 }, (_, code) =>
		String.fromCharCode(code),
	);
	expect(refused).toEqual([...controls, " ", "@", "\u007f"]);
});

describe("a name", () => {
	it.each([
		"lat",
		"Latitude",
		"userLat",
		"user_lon",
		"LNG",
		"lat-lng",
		"latlong",
		"long",
		"currentLongitude",
		"gpsFix",
		"lastGPSFix",
		"geo",
		"geoHash",
		"geolocation",
		"coordinate",
		"home_coordinates",
		"coords",
		"streetName",
		"home_address",
		"homeaddress",
		"addresses",
		"postcode",
		"postCode",
		"post_code",
		"postalCode",
		"zip",
		"zipCode",
		"ZIPCode",
		"plusCode",
		"pluscode",
		"ip",
		"clientIp",
		"IPAddress",
		"ip_v4",
		"ipv6",
		"lat_e7",
		"lat1",
	])("such as %s says where somebody is", (name) => {
		expect(isPreciseLocation(name)).toBe(true);
		expect(whyNameIsNotStored(name)).toBe(PRECISE_LOCATION);
	});

	it.each([
		"position",
		"location",
		"place",
		"region",
		"longPress",
		"playLong",
		"platform",
		"latency",
		"lonely",
		"description",
		"skip",
		"tip",
		"zipped",
		"geography",
		"iPhone",
		"depth",
		"secondsBeforeSkip",
	])("such as %s does not", (name) => {
		expect(whyNameIsNotStored(name)).toBeNull();
	});

	it("must be a label as well, and no pair of coordinates", () => {
		for (const name of ["call me at nine", "call\u200bme", "52.52,13.40"])
			expect(whyNameIsNotStored(name)).toBe(whyTextIsNotStored(name));
	});
});

describe("a reason", () => {
	it("tells whether it was for what is not stored", () => {
		for (const why of [
			whyTextIsNotStored("call me"),
			whyTextIsNotStored("52.52,13.40"),
			whyNameIsNotStored("latitude"),
		])
			expect(isNotStored(`bad event: properties.note: note ${why}.`)).toBe(
				true,
			);
		expect(isNotStored("bad event: at: Required, but missing.")).toBe(false);
	});
});
