export * from "./consent.js";
export * from "./definition-problems.js";
export * from "./parse-privacy.js";
export {
	agesAsked,
	type Jurisdiction,
	NO_PRIVACY,
	type PrivacyPolicy,
	rulesFor,
} from "./policy.js";
export { JURISDICTION } from "./privacy-document.js";
export * from "./retention.js";
export * from "./standing.js";
