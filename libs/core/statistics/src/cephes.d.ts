/** The part of cephes that is used; the package's own types are not found through its `exports`. */
declare module "cephes" {
	/** Resolved once the WebAssembly is compiled; nothing else works before. */
	export const compiled: Promise<void>;
	/** log |Γ(x)|. */
	export function lgam(x: number): number;
	/** Φ(z). */
	export function ndtr(z: number): number;
	/** Φ⁻¹(p). */
	export function ndtri(p: number): number;
	/** Regularised lower incomplete gamma function P(a, x). */
	export function igam(a: number, x: number): number;
	/** Regularised upper incomplete gamma function Q(a, x) = 1 − P(a, x). */
	export function igamc(a: number, x: number): number;
	/** Regularised incomplete beta function I_x(a, b). */
	export function incbet(a: number, b: number, x: number): number;
	/** The x with I_x(a, b) = y. */
	export function incbi(a: number, b: number, y: number): number;
	/** Hurwitz's ζ(s, q) = Σ_{k≥0} (k + q)^−s; Riemann's for q = 1. */
	export function zeta(s: number, q: number): number;
}
