export * from "./flights.js";
export * from "./leisure.js";
export * from "./repeated.js";
