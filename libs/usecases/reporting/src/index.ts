export * from "./make-report.js";
export * from "./ports.js";
export * from "./view-report.js";
