export * from "./arm-block.js";
export * from "./cholesky.js";
export * from "./dyadic.js";
export * from "./packed-symmetric.js";
export * from "./score-blocks.js";
