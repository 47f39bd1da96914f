export * from "./context-ports.js";
export * from "./fold-context.js";
export * from "./ports.js";
export * from "./read-context-health.js";
export * from "./view-context-health.js";
export * from "./watch-context.js";
export * from "./watch-losses.js";
export * from "./watch-stream.js";
