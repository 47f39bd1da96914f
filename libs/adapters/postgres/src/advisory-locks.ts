/** Classes of advisory locks; 7306, the keys of what is asked for again, is taken by `segue_keep_decisions` in the database. */

/** The gate, which batches share and erasure and retention take exclusively. */
export const GATE = 7_301;

/** The sixteen slots of learners' sessions. */
export const SLOT = 7_302;

/** Of the one process that drops days. */
export const RETENTION = [7_304, 1] as const;

/** Of the one learner that makes room in the stream. */
export const ROOM = [7_304, 2] as const;
