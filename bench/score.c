/*
 * What bench/score.ts is measured against: the same means and widths in plain C, as fast as a page of it gets. It times its own loops.
 *
 *   load K d\n   then, binary, of each arm b and A's packed lower triangle, then 16 vectors x   -> sum of means, sum of widths
 *   score n\n    n decisions, each over all arms                                                 -> microseconds a decision
 *   refresh n\n  n arms from sums to theta and L^-1                                              -> microseconds an arm
 *
 * There are two ways to score: rows of L^-1, and the packed inverse times the packed outer product of x. Load tries both; the faster is
 * used. Sums run in several accumulators, since without -ffast-math a compiler may not split one.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RIDGE 1.0
#define VECTORS 16

static int K, d;
static size_t triangle;                 /* d (d + 1) / 2 */
static double *systems;                 /* of each arm b, A */
static double *xs;                      /* VECTORS vectors */
static double *thetas, *rows, *inverses; /* of each arm theta; L^-1 by rows; A^-1 packed, off-diagonals doubled */
static double *outer, *upper, *means, *widths;

static double microseconds(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec * 1e-3;
}

#define DOT(NAME, LANES)                                                                      \
	static inline double NAME(const double *restrict a, const double *restrict b, size_t n) { \
		double lanes[LANES] = {0}, sum = 0;                                                   \
		size_t i = 0;                                                                         \
		for (; i + LANES <= n; i += LANES)                                                    \
			for (int k = 0; k < LANES; k++) lanes[k] += a[i + k] * b[i + k];                  \
		for (; i < n; i++) sum += a[i] * b[i];                                                \
		for (int k = 0; k < LANES; k++) sum += lanes[k];                                      \
		return sum;                                                                           \
	}
DOT(dot8, 8)
DOT(dot32, 32)

static void score_by_rows(const double *restrict x) {
	for (int a = 0; a < K; a++) {
		const double *row = rows + a * triangle;
		double q = 0;
		for (int i = 0; i < d; i++) {
			double y = dot8(row, x, i + 1);
			q += y * y;
			row += i + 1;
		}
		means[a] = dot8(thetas + (size_t)a * d, x, d);
		widths[a] = sqrt(q);
	}
}

static void score_by_inverse(const double *restrict x) {
	double *restrict o = outer;
	for (int i = 0; i < d; i++)
		for (int j = 0; j <= i; j++) *o++ = x[i] * x[j];
	for (int a = 0; a < K; a++) {
		double q = dot32(inverses + a * triangle, outer, triangle);
		means[a] = dot8(thetas + (size_t)a * d, x, d);
		widths[a] = sqrt(q > 0 ? q : 0);
	}
}

static void (*score_all)(const double *restrict);

/* target -= or += f0 s0 + f1 s1 + f2 s2 + f3 s3: four rows at once, so that the target is read and written a quarter as often. */
static inline void add4(double *restrict target, const double *restrict s0, const double *restrict s1,
                        const double *restrict s2, const double *restrict s3, double f0, double f1, double f2, double f3, int n) {
	for (int j = 0; j < n; j++) target[j] += f0 * s0[j] + f1 * s1[j] + f2 * s2[j] + f3 * s3[j];
}
static inline void add1(double *restrict target, const double *restrict source, double f, int n) {
	for (int j = 0; j < n; j++) target[j] += f * source[j];
}

/* A + ridge = R'R with R upper, full rows of d; M = L^-1 by rows with L = R'; theta by substitution. */
static int refresh(const double *restrict system, double *restrict M, double *restrict theta) {
	double *restrict R = upper;
	const double *A = system + d;
	for (int i = 0; i < d; i++) {
		double *r = R + (size_t)i * d;
		for (int j = i; j < d; j++) r[j] = A[(size_t)j * (j + 1) / 2 + i];
		r[i] += RIDGE;
		int k = 0;
		for (; k + 3 < i; k += 4) {
			const double *s = R + (size_t)k * d;
			add4(r + i, s + i, s + d + i, s + 2 * d + i, s + 3 * d + i, -s[i], -s[d + i], -s[2 * d + i], -s[3 * d + i], d - i);
		}
		for (; k < i; k++) add1(r + i, R + (size_t)k * d + i, -R[(size_t)k * d + i], d - i);
		if (!(r[i] > 0)) return 0;
		double root = sqrt(r[i]), reciprocal = 1 / root;
		for (int j = i; j < d; j++) r[j] *= reciprocal;
		r[i] = root;
	}
	for (int i = 0; i < d; i++) {
		double *m = M + (size_t)i * (i + 1) / 2;
		double reciprocal = 1 / R[(size_t)i * d + i];
		memset(m, 0, sizeof(double) * (i + 1));
		int k = 0;
		for (; k + 3 < i; k += 4) {
			const double *s0 = M + (size_t)k * (k + 1) / 2, *s1 = s0 + k + 1, *s2 = s1 + k + 2, *s3 = s2 + k + 3;
			const double *f = R + (size_t)k * d + i;
			add4(m, s0, s1, s2, s3, f[0], f[d], f[2 * d], f[3 * d], k + 1);
			m[k + 1] += f[d] * s1[k + 1] + f[2 * d] * s2[k + 1] + f[3 * d] * s3[k + 1];
			m[k + 2] += f[2 * d] * s2[k + 2] + f[3 * d] * s3[k + 2];
			m[k + 3] += f[3 * d] * s3[k + 3];
		}
		for (; k < i; k++) add1(m, M + (size_t)k * (k + 1) / 2, R[(size_t)k * d + i], k + 1);
		for (int j = 0; j < i; j++) m[j] *= -reciprocal;
		m[i] = reciprocal;
	}
	memcpy(theta, system, sizeof(double) * d);
	for (int i = 0; i < d; i++) {
		theta[i] /= R[(size_t)i * d + i];
		add1(theta + i + 1, R + (size_t)i * d + i + 1, -theta[i], d - i - 1);
	}
	for (int i = d - 1; i >= 0; i--)
		theta[i] = (theta[i] - dot8(R + (size_t)i * d + i + 1, theta + i + 1, d - i - 1)) / R[(size_t)i * d + i];
	return 1;
}

/* A^-1 = M'M, packed by rows, off-diagonals doubled. */
static void invert(const double *restrict M, double *restrict inverse) {
	memset(inverse, 0, sizeof(double) * triangle);
	for (int k = 0; k < d; k++) {
		const double *m = M + (size_t)k * (k + 1) / 2;
		for (int i = 0; i <= k; i++)
			for (int j = 0; j <= i; j++) inverse[(size_t)i * (i + 1) / 2 + j] += (i == j ? 1 : 2) * m[i] * m[j];
	}
}

/* Two runs before the clock bring the arms back to the caches. */
static double time_score(int n) {
	for (int i = 0; i < 2; i++) score_all(xs + (size_t)i * d);
	double begin = microseconds();
	for (int i = 0; i < n; i++) score_all(xs + (size_t)(i % VECTORS) * d);
	return (microseconds() - begin) / n;
}

static void refresh_arm(size_t a) {
	if (!refresh(systems + a * (d + triangle), rows + a * triangle, thetas + a * d)) exit(1);
}

static double time_refresh(int n) {
	for (int i = 0; i < 2; i++) refresh_arm(i % K);
	double begin = microseconds();
	for (int i = 0; i < n; i++) refresh_arm(i % K);
	return (microseconds() - begin) / n;
}

static double *room(double *old, size_t entries) {
	free(old);
	void *fresh = NULL;
	if (posix_memalign(&fresh, 64, sizeof(double) * (entries + 64))) exit(1);
	return fresh;
}

static void load(void) {
	triangle = (size_t)d * (d + 1) / 2;
	size_t system = d + triangle;
	systems = room(systems, K * system);
	xs = room(xs, (size_t)VECTORS * d);
	thetas = room(thetas, (size_t)K * d);
	rows = room(rows, K * triangle);
	inverses = room(inverses, K * triangle);
	outer = room(outer, triangle);
	upper = room(upper, (size_t)d * d);
	means = room(means, K);
	widths = room(widths, K);
	if (fread(systems, sizeof(double), K * system, stdin) != K * system) exit(1);
	if (fread(xs, sizeof(double), (size_t)VECTORS * d, stdin) != (size_t)VECTORS * d) exit(1);
	time_refresh(K);
	for (int a = 0; a < K; a++) invert(rows + a * triangle, inverses + a * triangle);
	int n = 1 + (int)(2e7 / ((double)K * d * d));
	double best[2] = {1e300, 1e300};
	for (int i = 0; i < 10; i++)
		for (int way = 0; way < 2; way++) {
			score_all = way ? score_by_inverse : score_by_rows;
			double time = time_score(n);
			if (time < best[way]) best[way] = time;
		}
	score_all = best[1] < best[0] ? score_by_inverse : score_by_rows;
	score_all(xs);
	double mean = 0, width = 0;
	for (int a = 0; a < K; a++) mean += means[a], width += widths[a];
	printf("%.17g %.17g\n", mean, width);
}

int main(void) {
	char line[100];
	int n;
	while (fgets(line, sizeof line, stdin)) {
		if (sscanf(line, "load %d %d", &K, &d) == 2) load();
		else if (sscanf(line, "score %d", &n) == 1) printf("%.6f\n", time_score(n));
		else if (sscanf(line, "refresh %d", &n) == 1) printf("%.6f\n", time_refresh(n));
		else return 1;
		fflush(stdout);
	}
	return 0;
}
