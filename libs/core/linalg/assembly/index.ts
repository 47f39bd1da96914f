export { factor } from "./factor";
export { score } from "./score";
