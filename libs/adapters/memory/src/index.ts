export * from "./memory-deciding.js";
export { MemorySpool } from "./memory-spool.js";
