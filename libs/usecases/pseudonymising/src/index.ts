export * from "./former-names.js";
export * from "./pseudonyms.js";
