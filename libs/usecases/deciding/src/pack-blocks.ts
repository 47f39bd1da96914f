const BLOCK_BYTES = 2 ** 20;

/** Bytes for many packs, one after another. */
export interface Block {
	readonly bytes: Uint8Array;
	used: number;
	/** Packs in it that are not given back. */
	packs: number;
}

/** A pack's bytes as they are kept; those of a pack larger than a block are in none. */
export interface KeptPack {
	readonly bytes: Uint8Array;
	readonly block: Block | null;
}

/**
 * Room for packs, which is used again once all packs of a block are given back. As arrays of their own, packs grow old by the thousand,
 * and old memory is given back by full collections only: they stopped the process for 10 to 20 ms every two seconds.
 */
export class PackBlocks {
	private readonly free: Block[] = [];
	private current: Block = newBlock();

	/** A copy, which stands until it is given back. */
	keep(pack: Uint8Array): KeptPack {
		if (pack.length > BLOCK_BYTES) return { bytes: pack, block: null };
		if (this.current.used + pack.length > BLOCK_BYTES) this.begin();
		const block = this.current;
		const from = block.used;
		block.bytes.set(pack, from);
		block.used += pack.length;
		block.packs += 1;
		return { bytes: block.bytes.subarray(from, block.used), block };
	}

	giveBack({ block }: KeptPack): void {
		if (block === null) return;
		block.packs -= 1;
		if (block.packs === 0 && block !== this.current) this.free.push(block);
	}

	private begin(): void {
		if (this.current.packs === 0) this.free.push(this.current);
		const block = this.free.pop() ?? newBlock();
		block.used = 0;
		this.current = block;
	}
}

function newBlock(): Block {
	return { bytes: new Uint8Array(BLOCK_BYTES), used: 0, packs: 0 };
}
