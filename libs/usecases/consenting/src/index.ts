export * from "./consent-cache.js";
export * from "./get-consent.js";
export * from "./ports.js";
export * from "./put-consent.js";
export { WithheldFromProfiles } from "./withheld-from-profiles.js";
