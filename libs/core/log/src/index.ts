export * from "./decision-row.js";
export * from "./event.js";
export * from "./pack.js";
