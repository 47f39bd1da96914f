export type { LiveValue } from "./aggregate.js";
export type { LiveDecision } from "./decided-arms.js";
export { type ErasedUnit, unitHash } from "./erased-units.js";
export { historyMs, wholeAfterMs } from "./feature-needs.js";
export * from "./item-vectors.js";
export type { LiveEvent } from "./live-event.js";
export * from "./live-windows.js";
