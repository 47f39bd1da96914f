export * from "./arm-block.js";
export * from "./cholesky.js";
export * from "./dyadic.js";
export { factorBlock, factorTwin, ridgeFloor } from "./factor-block.js";
export * from "./packed-symmetric.js";
export { scoreBlocks, scoreBlocksByTwin } from "./score-blocks.js";
export { hasKernel } from "./shared-engine.js";
export {
	isCut,
	LEAST_SHARED_BYTES,
	Sheets,
	SpareSheets,
} from "./sheets.js";
export { vector } from "./vector.js";
