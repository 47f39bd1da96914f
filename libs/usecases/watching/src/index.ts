export * from "./ports.js";
export * from "./watch-losses.js";
export * from "./watch-stream.js";
