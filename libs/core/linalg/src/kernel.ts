import { KERNEL_BYTES } from "./kernel-bytes.js";

/** What of WebAssembly is used; the core's types know no platform. */
interface Memory {
	readonly buffer: ArrayBuffer;
	grow(pages: number): number;
}
interface Platform {
	Memory: new (limits: { initial: number; maximum: number }) => Memory;
	Module: new (bytes: Uint8Array) => object;
	Instance: new (
		module: object,
		imports: { env: { memory: Memory } },
	) => { readonly exports: unknown };
}

/** See ../assembly/index.ts. Addresses and counts are whole numbers. */
export interface KernelFunctions {
	score(
		arms: number,
		padded: number,
		x: number,
		blocks: number,
		means: number,
		widths: number,
	): void;
	factor(
		d: number,
		ridge: number,
		packed: number,
		b: number,
		L: number,
		N: number,
		reciprocals: number,
		y: number,
		out: number,
	): number;
}

const PAGE = 65_536;

/** The kernel's functions and its memory, with views that survive its growth. */
export class Kernel {
	#doubles: Float64Array;
	#words: Uint32Array;

	private constructor(
		readonly functions: KernelFunctions,
		private readonly memory: Memory,
	) {
		this.#doubles = new Float64Array(memory.buffer);
		this.#words = new Uint32Array(memory.buffer);
	}

	/** Null where WebAssembly or its SIMD is missing, or where no memory can be had: then the twins do the work, with the same bits. */
	static load(bytes: { least: number; most: number }): Kernel | null {
		const { WebAssembly: platform } = globalThis as { WebAssembly?: Platform };
		if (!platform) return null;
		try {
			const memory = new platform.Memory({
				initial: Math.ceil(bytes.least / PAGE),
				maximum: Math.ceil(bytes.most / PAGE),
			});
			const code = atob(KERNEL_BYTES);
			const module = new platform.Module(
				Uint8Array.from(code, (character) => character.charCodeAt(0)),
			);
			const { exports } = new platform.Instance(module, { env: { memory } });
			return new Kernel(exports as KernelFunctions, memory);
		} catch {
			return null;
		}
	}

	/** The whole memory; hold it no longer than until the next `growTo`. */
	get doubles(): Float64Array {
		return this.#doubles;
	}

	get words(): Uint32Array {
		return this.#words;
	}

	/** Whether the memory now has at least this many bytes. */
	growTo(bytes: number): boolean {
		const pages = Math.ceil((bytes - this.memory.buffer.byteLength) / PAGE);
		if (pages <= 0) return true;
		try {
			this.memory.grow(pages);
		} catch {
			return false;
		}
		this.#doubles = new Float64Array(this.memory.buffer);
		this.#words = new Uint32Array(this.memory.buffer);
		return true;
	}
}
