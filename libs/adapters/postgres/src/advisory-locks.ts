/** Classes of advisory locks; 7306, the keys of what is asked for again, is taken by `segue_keep_decisions` in the database. */

/** The gate, which batches share and erasure and retention take exclusively. */
export const GATE = 7_301;

/** The sixteen slots of learners' sessions. */
export const SLOT = 7_302;
