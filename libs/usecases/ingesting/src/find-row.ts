import { type DecisionRow, decodeMessage } from "#core/log";

/** The decision of that id in a message of the stream, or null. */
export function findRow(
	subject: string,
	body: Uint8Array,
	id: string,
): DecisionRow | null {
	// Nearly all packs are ruled out without reading their JSON.
	if (!Buffer.from(body.buffer, body.byteOffset, body.byteLength).includes(id))
		return null;
	const decoded = decodeMessage(subject, body);
	if (decoded.kind !== "decisions") return null;
	for (const item of decoded.items)
		if (item.ok && item.value.id === id) return item.value;
	return null;
}
