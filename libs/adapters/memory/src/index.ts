export { type Manner, MemoryBroker } from "./memory-broker.js";
export { MemoryDeadLetters } from "./memory-dead-letters.js";
export * from "./memory-deciding.js";
export * from "./memory-erasure.js";
export { MemoryLedgerReads } from "./memory-ledger-reads.js";
export * from "./memory-past.js";
export { MemoryRepeats } from "./memory-repeats.js";
export { MemorySpool } from "./memory-spool.js";
export { MemoryStream } from "./memory-stream.js";
