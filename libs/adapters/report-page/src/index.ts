export { reportPage } from "./page.js";
