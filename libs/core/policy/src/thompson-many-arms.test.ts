import { compiled, ndtr } from "cephes";
import { afterAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../../../test/support/random.js";
import { thompsonPropensities } from "./thompson.js";

await compiled;

const seed = Number(process.env.SEED ?? 20261127);
const random = seededRandom(seed);
const sizes = [2, 5, 20, 50, 100, 300, 1_000, 1_500];
/** The long form (npm run test:long) meets 25 sets of arms of each kind and size. */
const SETS = process.env.SEGUE_LONG === "1" ? 25 : 1;

interface Arms {
	readonly means: Float64Array;
	readonly sds: Float64Array;
}

/** Beyond so many σ an arm does not reach: 1 − Φ(9) = 1e-19. */
const REACH = 9;
/** Where two levels of the rule agree to this on a panel, the finer one counts. */
const AGREED = 1e-14;

interface Node {
	/** On [−1, 1]. */
	readonly x: number;
	readonly weight: number;
}

/**
 * The rule of tanh and sinh (Takahasi & Mori 1974) with u = k·step: x = tanh(π/2 sinh u), whose weights fall off doubly exponentially.
 * The nodes of each level are those that the one before has not.
 */
const LEVELS: readonly (readonly Node[])[] = [0, 1, 2, 3].map((level) => {
	const step = 2 ** -(level + 1);
	const nodes: Node[] = [];
	for (let k = -Math.floor(3.3 / step); k * step <= 3.3; k++) {
		if (level > 0 && k % 2 === 0) continue;
		const s = (Math.PI / 2) * Math.sinh(k * step);
		const weight = (Math.PI / 2) * Math.cosh(k * step) * Math.cosh(s) ** -2;
		nodes.push({ x: Math.tanh(s), weight: step * weight });
	}
	return nodes;
});

/** p(a) = ∫ exp(log φ_a + Σ_{b≠a} log Φ_b) of all arms, Φ by cephes; nothing is scaled to sum to 1. */
class Reference {
	readonly shares: Float64Array;
	private readonly logs: Float64Array;

	constructor(private readonly arms: Arms) {
		const { means, sds } = arms;
		this.shares = new Float64Array(means.length);
		this.logs = new Float64Array(means.length);
		const at = (side: number) =>
			Math.max(
				...means.map((mean, a) => mean + side * REACH * (sds[a] as number)),
			);
		this.integrate(at(-1), at(1));
	}

	/** Halves the panel until no arm within it is much narrower than it, then until two levels agree. */
	private integrate(from: number, to: number): void {
		const found = this.isCoarse(from, to) ? null : this.panel(from, to);
		if (found !== null) {
			for (let a = 0; a < found.length; a++)
				(this.shares[a] as number) += found[a] as number;
			return;
		}
		const middle = from + (to - from) / 2;
		this.integrate(from, middle);
		this.integrate(middle, to);
	}

	private isCoarse(from: number, to: number): boolean {
		const { means, sds } = this.arms;
		return sds.some((sd, a) => {
			const reach = REACH * sd;
			const mean = means[a] as number;
			return mean - reach < to && mean + reach > from && to - from > 6 * sd;
		});
	}

	private panel(from: number, to: number): Float64Array | null {
		const half = (to - from) / 2;
		let before = new Float64Array(this.shares.length);
		for (const nodes of LEVELS) {
			// A level is half as wide in its steps: what was found before counts half.
			const sum = before.map((value) => value / 2);
			for (const { x, weight } of nodes)
				this.addNode(from + half * (1 + x), half * weight, sum);
			if (gap(sum, before) <= AGREED) return sum;
			before = sum;
		}
		return null;
	}

	private addNode(t: number, weight: number, sum: Float64Array): void {
		const { means, sds } = this.arms;
		const { logs } = this;
		let all = 0;
		for (let a = 0; a < logs.length; a++) {
			const z = (t - (means[a] as number)) / (sds[a] as number);
			logs[a] = z > REACH ? 0 : Math.log(ndtr(z));
			all += logs[a] as number;
		}
		for (let a = 0; a < logs.length; a++) {
			const sd = sds[a] as number;
			const z = (t - (means[a] as number)) / sd;
			if (z > REACH) continue;
			const log = all - (logs[a] as number) - (z * z) / 2;
			(sum[a] as number) +=
				(weight * Math.exp(log)) / (sd * Math.sqrt(2 * Math.PI));
		}
	}
}

function gap(one: Float64Array, other: Float64Array): number {
	return one.reduce(
		(worst, p, a) => Math.max(worst, Math.abs(p - (other[a] as number))),
		0,
	);
}

const sumOf = (values: Float64Array) =>
	values.reduce((sum, value) => sum + value, 0);
const between = (low: number, high: number) => low + (high - low) * random();
const normal = () =>
	Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const arms = (
	size: number,
	one: (a: number) => readonly [mean: number, sd: number],
): Arms => {
	const all = Array.from({ length: size }, (_, a) => one(a));
	return {
		means: Float64Array.from(all, ([mean]) => mean),
		sds: Float64Array.from(all, ([, sd]) => sd),
	};
};

const kinds: Record<string, (size: number) => Arms> = {
	alike: (size) => arms(size, () => [between(-1, 1), between(0.5, 1.5)]),
	"of σ from 1 to 100,000 about one mean": (size) =>
		arms(size, () => [0.25, 10 ** between(-5, 0)]),
	"of σ from 1 to 100,000, each at home in its own width": (size) =>
		arms(size, () => {
			const sd = 10 ** between(-5, 0);
			return [sd * normal(), sd];
		}),
	"of σ from 1 to 100,000 that reach equally high": (size) =>
		arms(size, () => {
			const sd = 10 ** between(-5, 0);
			return [1 - between(1, 3) * sd, sd];
		}),
	"as a policy meets them: a fifth never tried, others known ever better": (
		size,
	) =>
		arms(size, () =>
			random() < 0.2 ? [0, 0.5] : [between(-0.3, 0.7), 10 ** between(-5, -1)],
		),
	"equal but for a wider one": (size) => {
		const wide = [between(-1, 3), between(1, 6)] as const;
		return arms(size, (a) => (a === 0 ? wide : [0, 1]));
	},
};

/** What was found over all sets of arms, |Σ p − 1| of the reference too. */
const worst = { p: 0, sum: 0, ofReference: 0, sets: 0 };

describe.each(Object.keys(kinds))(
	`the propensities of arms %s (SEED=${seed})`,
	(kind) => {
		test.each(sizes)(
			"are, for K = %i, those of a quadrature of another kind in logarithms, and sum to 1",
			{ timeout: 300_000 },
			(size) => {
				for (let set = 0; set < SETS; set++) {
					const some = (kinds[kind] as (size: number) => Arms)(size);
					const { shares } = new Reference(some);
					const p = thompsonPropensities(some.means, some.sds);
					const off = {
						p: gap(p, shares),
						sum: Math.abs(sumOf(p) - 1),
						ofReference: Math.abs(sumOf(shares) - 1),
					};
					// Nobody made it sum to 1: it misses no more of any p than of all of them.
					expect(off.ofReference).toBeLessThan(1e-12);
					expect(off.p, `set ${set}`).toBeLessThan(5e-11);
					expect(off.sum, `set ${set}`).toBeLessThanOrEqual(1e-12);
					worst.sets++;
					for (const key of ["p", "sum", "ofReference"] as const)
						worst[key] = Math.max(worst[key], off[key]);
				}
			},
		);
	},
);

afterAll(() => {
	const { p, sum, ofReference, sets } = worst;
	console.info(
		`${sets} sets of up to ${Math.max(...sizes)} arms: no p is off by more than ${p.toExponential(1)}, no Σ p by more than ${sum.toExponential(1)} (the reference's: ${ofReference.toExponential(1)})`,
	);
});
