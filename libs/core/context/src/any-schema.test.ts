import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type {
	ContextSchema,
	Feature,
	JsonValue,
	ValueFeature,
} from "#core/experiment";
import { CLIP, isOnGrid } from "#core/linalg";
import { compileEncoder, compileParser, layOut } from "./index.js";

const SEED = Number(process.env.SEED ?? 20_261_126);
const RUNS = 400;

const name = fc.stringMatching(/^[a-z][A-Za-z0-9_]{0,5}$/);
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const hour = fc.double({ min: 0, max: 24, maxExcluded: true, noNaN: true });
const levels = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), {
	minLength: 1,
	maxLength: 5,
});

/** A feature with a way to be without a value, and a mean where that asks for one. */
const withMissing = <T extends object>(
	feature: fc.Arbitrary<T>,
	mean: (feature: T) => fc.Arbitrary<unknown>,
) =>
	feature.chain((one) =>
		fc.oneof(
			fc.constant(one),
			fc.constant({ ...one, missing: "indicator" }),
			mean(one).map((value) => ({
				...one,
				missing: "mean",
				...(value !== undefined && { mean: value }),
			})),
		),
	);
const kind = fc.oneof(
	withMissing(
		fc.record({
			kind: fc.constant("number"),
			mean: finite,
			scale: fc.double({ min: 1e-300, noNaN: true, noDefaultInfinity: true }),
		}),
		() => fc.constant(undefined),
	),
	withMissing(fc.record({ kind: fc.constant("boolean") }), () => share),
	withMissing(
		fc.record({
			kind: fc.constant("cyclic"),
			period: fc.double({ min: 1e-6, max: 1e9, noNaN: true }),
		}),
		() => finite,
	),
	withMissing(fc.record({ kind: fc.constant("category"), levels }), (one) =>
		fc.dictionary(fc.constantFrom(...one.levels), share),
	),
	withMissing(
		fc.record({ kind: fc.constant("vector"), length: fc.nat(4) }),
		({ length }) => fc.array(finite, { minLength: length, maxLength: length }),
	),
	withMissing(fc.record({ kind: fc.constant("timeOfDay") }), () => hour),
	fc.record({ kind: fc.constant("attribute"), values: levels }),
	fc.record({
		kind: fc.constant("attribute"),
		type: fc.constant("number"),
		values: fc.constant([]),
	}),
);
const from = fc.constantFrom("request", "live", "profile");

/** Any features with values and any products of those that have coordinates, in any order. */
const schema: fc.Arbitrary<ContextSchema> = fc
	.uniqueArray(name, { minLength: 1, maxLength: 6 })
	.chain((names) =>
		fc.tuple(
			...names.map((name) =>
				fc.record({ name: fc.constant(name), from, kind }),
			),
		),
	)
	.map((all) =>
		all.map(({ kind, ...base }) => ({ ...base, ...kind }) as ValueFeature),
	)
	.chain((features) => {
		const encoded = features.filter(({ kind }) => kind !== "attribute");
		const pairs = encoded.flatMap(({ name: left }, i) =>
			encoded.slice(i + 1).map(({ name: right }): Feature => {
				const of = [left, right] as const;
				return { name: of.join("×"), from: "product", kind: "product", of };
			}),
		);
		return fc.record({
			intercept: fc.boolean(),
			features: fc.subarray(pairs).chain((products) =>
				fc.shuffledSubarray([...features, ...products], {
					minLength: features.length + products.length,
				}),
			),
		});
	});

const anything = fc.oneof(
	fc.double(),
	fc.string({ maxLength: 4 }),
	fc.boolean(),
	fc.constant(null),
	fc.array(fc.oneof(fc.double(), fc.string()), { maxLength: 4 }),
	fc.dictionary(fc.string(), fc.integer(), { maxKeys: 2 }),
);
function fitting(feature: Feature): fc.Arbitrary<unknown> {
	switch (feature.kind) {
		case "number":
		case "cyclic":
			return finite;
		case "timeOfDay":
			return hour;
		case "boolean":
			return fc.boolean();
		case "category":
			return fc.constantFrom(...feature.levels, "unseen");
		case "vector":
			return fc.array(finite, {
				minLength: feature.length,
				maxLength: feature.length,
			});
		default:
			return fc.constantFrom("sleep", "run");
	}
}

const asked = schema.chain((schema) =>
	fc
		.tuple(
			...schema.features.map((feature) =>
				fc.option(
					fc.oneof({ arbitrary: fitting(feature), weight: 4 }, anything),
					{ nil: undefined },
				),
			),
		)
		.map((values) => ({
			schema,
			values: Object.fromEntries(
				schema.features.flatMap(({ name }, i) =>
					values[i] === undefined ? [] : [[name, values[i] as JsonValue]],
				),
			),
		})),
);
const options = { seed: SEED, numRuns: RUNS };

describe(`for any context and any values (SEED=${SEED})`, () => {
	it("x has a name for each coordinate, each within ±8 on the grid, and no −0", () => {
		fc.assert(
			fc.property(asked, ({ schema, values }) => {
				const { d, names, featureNames, encode } = compileEncoder(schema);
				expect(names).toHaveLength(d);
				expect(featureNames).toHaveLength(d);
				expect(layOut(schema).d).toBe(d);
				expect(new Set(names).size).toBe(d);
				const { x } = encode(values);
				expect(x).toHaveLength(d);
				for (const coordinate of x) {
					expect(Math.abs(coordinate)).toBeLessThanOrEqual(CLIP);
					expect(isOnGrid(coordinate)).toBe(true);
					expect(Object.is(coordinate, -0)).toBe(false);
				}
			}),
			options,
		);
	});

	it("what the parser lets through encodes to the same bits without being judged again, beside live and profile values of any type", () => {
		let accepted = 0;
		fc.assert(
			fc.property(asked, ({ schema, values }) => {
				const request = compileParser(schema)(values);
				if (!request.ok) return;
				accepted++;
				const others = schema.features.flatMap(({ name, from }) =>
					from !== "request" && Object.hasOwn(values, name)
						? [[name, values[name] as JsonValue]]
						: [],
				);
				const all = { ...Object.fromEntries(others), ...request.values };
				const { encode } = compileEncoder(schema);
				expect(encode(all, true)).toEqual(encode(all));
			}),
			options,
		);
		expect(accepted).toBeGreaterThan(RUNS / 4);
	});

	it("what the log keeps encodes to the same bits, in any process", () => {
		fc.assert(
			fc.property(asked, ({ schema, values }) => {
				const first = compileEncoder(schema).encode(values);
				const logged = JSON.parse(JSON.stringify(values));
				const again = compileEncoder(
					JSON.parse(JSON.stringify(schema)) as ContextSchema,
				).encode(logged);
				expect(again).toEqual(first);
			}),
			options,
		);
	});

	it("a product is what its two features' coordinates multiply to, and is missing where one of them is", () => {
		fc.assert(
			fc.property(asked, ({ schema, values }) => {
				const { x, missing } = compileEncoder(schema).encode(values);
				const { spans } = layOut(schema);
				const ownOf = (name: string) => {
					const { offset, length, feature } = spans.find(
						(span) => span.feature.name === name,
					)!;
					const told = "missing" in feature && feature.missing === "indicator";
					return [...x.slice(offset, offset + length - (told ? 1 : 0))];
				};
				for (const { feature, offset, length } of spans) {
					if (feature.kind !== "product") continue;
					const [left, right] = feature.of.map(ownOf) as [number[], number[]];
					const exact = left.flatMap((one) => right.map((two) => one * two));
					expect(length).toBe(exact.length);
					exact.forEach((value, i) => {
						const clipped = Math.min(CLIP, Math.max(-CLIP, value));
						const off = Math.abs((x[offset + i] as number) - clipped);
						expect(off).toBeLessThanOrEqual(2 ** -13);
					});
				}
				for (const feature of schema.features)
					if (feature.kind === "product")
						expect(missing.includes(feature.name)).toBe(
							feature.of.some((name) => missing.includes(name)),
						);
			}),
			options,
		);
	});
});
