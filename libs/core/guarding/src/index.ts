export * from "./count-guarded.js";
export * from "./guard-plan.js";
export * from "./look.js";
export * from "./never-acts.js";
