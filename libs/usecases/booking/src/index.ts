export * from "./book-decisions.js";
export * from "./ports.js";
export * from "./recount-bookings.js";
export { ripeAfterMs } from "./ripe.js";
export * from "./watch-bookings.js";
