export * from "./cholesky.js";
export * from "./dyadic.js";
export * from "./packed-symmetric.js";
