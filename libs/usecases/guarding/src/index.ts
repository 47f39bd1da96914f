export * from "./counted-since.js";
export type * from "./ports.js";
export * from "./read-guardrails.js";
export * from "./view-guardrails.js";
export * from "./watch-guardrails.js";
