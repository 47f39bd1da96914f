export { openSpool, type SpoolOptions } from "./spool.js";
