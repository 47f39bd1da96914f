export * from "./leisure.js";
export * from "./repeated.js";
