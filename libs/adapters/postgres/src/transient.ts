/**
 * SQLSTATEs after which the same work may succeed: a rule of retry as a table. transient.test.ts asks for a judgement of every state in
 * the classes of lost connections, rollbacks, resources, locks, operators and the system.
 */
const transientStates: ReadonlyMap<string, string> = new Map([
	["08000", "connection exception"],
	["08001", "cannot connect"],
	["08003", "connection does not exist"],
	["08004", "connection rejected"],
	["08006", "connection failure"],
	["08007", "whether the transaction was done is unknown"],
	["08P01", "protocol violation: how poolers say that the server was lost"],
	["25006", "read-only: a failover made this server a standby"],
	["25P03", "idle in transaction too long"],
	["25P04", "transaction too long"],
	["40001", "serialization failure"],
	["40003", "whether the statement was done is unknown"],
	["40P01", "deadlock detected"],
	["53000", "insufficient resources"],
	["53100", "disk full"],
	["53200", "out of memory"],
	["53300", "too many connections"],
	["55P03", "lock not available in time"],
	["57P01", "ended by the administrator"],
	["57P02", "crash of another backend"],
	["57P03", "starting up or shutting down"],
	["57P05", "idle too long"],
	["58000", "error of the system below"],
	["58030", "input or output error"],
]);

const transientSystemCodes: ReadonlySet<string> = new Set([
	"EAI_AGAIN",
	"ECONNABORTED",
	"ECONNREFUSED",
	"ECONNRESET",
	"EHOSTDOWN",
	"EHOSTUNREACH",
	"ENETDOWN",
	"ENETRESET",
	"ENETUNREACH",
	"ENOTFOUND",
	"EPIPE",
	"ETIMEDOUT",
]);

/** pg reports a lost socket by message only. */
const lostSocket =
	/connection terminated|timeout exceeded when trying to connect|client has encountered a connection error|not queryable/i;

/** pg gave up waiting for an answer (`query_timeout`): whether the statement was done is unknown, and the connection of no more use. */
export function isReadTimeout(error: unknown): boolean {
	return error instanceof Error && error.message === "Query read timeout";
}

/** True where trying again may help; false where the statement or its data is wrong. */
export function isTransient(error: unknown): boolean {
	if (!(error instanceof Error)) return false;
	const code = (error as { code?: unknown }).code;
	if (typeof code === "string")
		return transientStates.has(code) || transientSystemCodes.has(code);
	return (
		lostSocket.test(error.message) ||
		isReadTimeout(error) ||
		(error instanceof AggregateError && error.errors.every(isTransient))
	);
}

/** Of no more use, though it may answer: a new connection may reach another server, and this one may never answer again. */
export function isUselessConnection(error: unknown): boolean {
	return (
		isReadTimeout(error) ||
		(error instanceof Error && (error as { code?: unknown }).code === "25006")
	);
}

/** V8 says by a RangeError, too, that there is no memory for a buffer: no fault of the item's. */
const NO_MEMORY = /allocation failed/i;
const UNIQUE_VIOLATION = "23505";

/**
 * True where the data itself is refused, so that no retry helps: a value that cannot be stored (22), a constraint it breaks (23, but
 * for a missing partition, and for a key that is there, since rows are told from those that are there before they are stored), a limit
 * it is beyond (54), or a number that the core refuses (RangeError). Anything else is the database's trouble, a lack of memory, or a bug
 * of ours, and the item waits: calling it bad would lose it.
 */
export function isRefusal(error: unknown): boolean {
	if (error instanceof RangeError) return !NO_MEMORY.test(error.message);
	if (!(error instanceof Error) || isMissingPartition(error)) return false;
	const { code } = error as { code?: unknown };
	return (
		typeof code === "string" &&
		/^(22|23|54)...$/.test(code) &&
		code !== UNIQUE_VIOLATION
	);
}

/** A statement met an id whose day has no partition. */
export function isMissingPartition(error: unknown): boolean {
	return (
		error instanceof Error && (error as { code?: unknown }).code === "23514"
	);
}
