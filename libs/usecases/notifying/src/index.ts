export * from "./deliver-messages.js";
export type * from "./ports.js";
