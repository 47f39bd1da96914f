export * from "./consent.js";
export * from "./encoder.js";
export {
	type CompiledFeature,
	type ContextValues,
	compileFeature,
	givenValue,
	hasValue,
	typeProblem,
} from "./feature.js";
export * from "./layout.js";
export * from "./not-stored.js";
export * from "./parse-context.js";
export * from "./storable-text.js";
