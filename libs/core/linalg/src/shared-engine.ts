import { KernelEngine } from "./kernel-engine.js";

/** Copies of blocks take at most this much memory beside the blocks themselves: 1,000 arms of 64 coordinates are 17 MB. */
const ARENA_BYTES = { least: 2 ** 20, most: 64 * 2 ** 20 };

let engine: KernelEngine | null | undefined;

/** The one kernel of this thread, made when first needed; null where there is no WebAssembly with SIMD. */
export function sharedEngine(): KernelEngine | null {
	if (engine === undefined) engine = KernelEngine.start(ARENA_BYTES);
	return engine;
}

/** Whether scoring and factorising run in WebAssembly here. */
export function hasKernel(): boolean {
	return sharedEngine() !== null;
}
