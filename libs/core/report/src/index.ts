export * from "./counts.js";
