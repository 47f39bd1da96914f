export * from "./accept-events.js";
export { findRow } from "./find-row.js";
export type { Place } from "./group-commit.js";
export * from "./ports.js";
export * from "./publisher.js";
