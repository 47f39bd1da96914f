export * from "./emptied.js";
export * from "./erase-unit.js";
export * from "./erase-units.js";
export * from "./forget-decisions.js";
export * from "./ports.js";
export * from "./receipt.js";
export * from "./take-out.js";
export * from "./unerased-decisions.js";
