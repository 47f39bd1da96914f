export * from "./follow-changes.js";
export * from "./get-profile.js";
export * from "./ports.js";
export * from "./profile-cache.js";
export * from "./put-profile.js";
export * from "./unit.js";
export * from "./unit-cache.js";
