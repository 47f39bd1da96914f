export * from "./make-room.js";
export * from "./ports.js";
export * from "./prove-day.js";
export * from "./run-retention.js";
