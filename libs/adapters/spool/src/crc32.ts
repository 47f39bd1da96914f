/** CRC-32 as in zlib and IEEE 802.3 (reflected polynomial 0xEDB88320); node:zlib has it from Node 20.15 on only. */
export function crc32(bytes: Uint8Array): number {
	let crc = 0xffffffff;
	for (const byte of bytes)
		crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] as number);
	return (crc ^ 0xffffffff) >>> 0;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
	let crc = byte;
	for (let bit = 0; bit < 8; bit += 1)
		crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
	return crc >>> 0;
});
