export * from "./ports.js";
export * from "./redrive.js";
