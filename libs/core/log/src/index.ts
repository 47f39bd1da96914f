export * from "./canonical-event.js";
export * from "./codec.js";
export * from "./decision-id.js";
export * from "./decision-row.js";
export * from "./event.js";
export { parseInstant } from "./instant.js";
export * from "./pack.js";
export * from "./parse-event.js";
export * from "./part.js";
