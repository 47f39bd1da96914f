/** Classes of advisory locks. */

/** The gate, which batches share and erasure and retention take exclusively. */
export const GATE = 7_301;

/** The sixteen slots of learners' sessions. */
export const SLOT = 7_302;
