export * from "./memory-deciding.js";
