import type { createLog } from "#adapters/telemetry";

export type Log = ReturnType<typeof createLog>;
