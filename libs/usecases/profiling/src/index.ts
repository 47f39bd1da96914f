export * from "./follow-profiles.js";
export * from "./get-profile.js";
export * from "./ports.js";
export * from "./profile-cache.js";
export * from "./put-profile.js";
