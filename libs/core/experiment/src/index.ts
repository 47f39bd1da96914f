export * from "./experiment.js";
