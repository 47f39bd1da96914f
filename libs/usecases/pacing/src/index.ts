export * from "./leisure.js";
