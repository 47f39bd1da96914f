/** Names as the public contract bounds them. All are anchored. */

/** `focus`, `energy.v2`; not `constructor` or `prototype`, since log rows are keyed by it and such keys are refused in JSON. */
export const ARM_KEY =
	/^(?!(?:constructor|prototype)$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Also a NATS token: `morning-prompt`. */
export const EXPERIMENT_KEY = /^[a-z0-9][a-z0-9-]{0,63}$/;
/** An arm key without dots, since it is a NATS token: `play`, `thumb_up`. */
export const EVENT_TYPE = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
/** An identifier, so that a rule can say `context.NAME`. */
export const FEATURE_NAME =
	/^(?!(?:constructor|prototype)$)[A-Za-z][A-Za-z0-9_]{0,63}$/;
/** What a unit consents to: `personalization`. */
export const PURPOSE =
	/^(?!(?:constructor|prototype)$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Unit, session, event id, requestId: 1 to 256 characters, no control or line characters, no half of a surrogate pair. */
export const PRINTABLE = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,256}$/u;
/** UUIDv7 in lower case. */
export const DECISION_ID =
	/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The event type that takes another event back. */
export const RETRACT = "retract";
/** Largest |value| of an event or an outcome rule: sums of so many grid values stay exact. */
export const MOST_VALUE = 2 ** 20;
