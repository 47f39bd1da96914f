export * from "./admit.js";
export * from "./batch-size.js";
export * from "./dead-letter.js";
export * from "./fold.js";
export * from "./learn.js";
export * from "./ports.js";
export * from "./sums-in-time.js";
export * from "./verify.js";
