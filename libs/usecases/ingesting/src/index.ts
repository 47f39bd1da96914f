export * from "./accept-events.js";
export type { Place } from "./group-commit.js";
export * from "./ports.js";
export * from "./publisher.js";
