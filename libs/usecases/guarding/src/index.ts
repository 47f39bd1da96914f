export * from "./counted-since.js";
export type * from "./ports.js";
export * from "./watch-guardrails.js";
