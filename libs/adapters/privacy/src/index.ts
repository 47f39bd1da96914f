export * from "./consent-keys.js";
export * from "./jwt-consent-tokens.js";
export * from "./read-privacy.js";
