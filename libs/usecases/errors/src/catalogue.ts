/** What an error code means, the same over HTTP and NATS. docs/errors.md explains each; a test ties the two. */
export interface ErrorKind {
	/** HTTP status. */
	readonly status: number;
	/** The kind of error, not the case at hand. */
	readonly title: string;
	/** How to mend it. */
	readonly remedy: string;
	/** Seconds after which asking again is worth it, for errors that pass. */
	readonly retryAfterSeconds?: number;
}

export const errorCatalogue = {
	"not-json": {
		status: 400,
		title: "The body is not JSON that Segue reads",
		remedy:
			"Send one JSON document in UTF-8, nested at most 32 levels, without keys such as __proto__.",
	},
	"bad-request": {
		status: 400,
		title: "The request is not well-formed HTTP",
		remedy: "Check the path's percent-encoding and the headers.",
	},
	"unknown-experiment": {
		status: 404,
		title: "There is no such experiment",
		remedy: "GET /v1/experiments lists the keys there are; PUT creates one.",
	},
	"unknown-decision": {
		status: 404,
		title: "There is no such decision",
		remedy:
			"Check the id; ask the decider that answered, or wait until the decision has reached the database.",
	},
	"unknown-profile": {
		status: 404,
		title: "The unit has no profile",
		remedy: "PUT /v1/units/UNIT/profile makes one.",
	},
	"not-found": {
		status: 404,
		title: "There is nothing at this path",
		remedy: "/docs lists every path.",
	},
	"method-not-allowed": {
		status: 405,
		title: "This path does not answer this method",
		remedy: "Use one of the methods in the Allow header.",
	},
	"request-timeout": {
		status: 408,
		title: "The request did not arrive whole in time",
		remedy: "Send headers and body without long pauses.",
	},
	"experiment-draft": {
		status: 409,
		title: "The experiment is a draft",
		remedy: "Start it: POST /v1/experiments/KEY/start.",
	},
	"no-eligible-arm": {
		status: 409,
		title: "Every arm is ruled out",
		remedy: "Change the context, `eligible`, or the rules the problems name.",
	},
	"edit-conflict": {
		status: 409,
		title: "The experiment changed in the meantime",
		remedy:
			"GET it again, look at what changed, and send the new ETag as If-Match.",
	},
	"bad-transition": {
		status: 409,
		title: "The experiment's state does not allow this",
		remedy: "Look at its state with GET /v1/experiments/KEY.",
	},
	"too-large": {
		status: 413,
		title: "The body is too large",
		remedy:
			"A body has at most 1 MiB, 1,000 events or 500 decisions: send several.",
	},
	"unsupported-media-type": {
		status: 415,
		title: "The body's content type is not read here",
		remedy: "Send JSON with `content-type: application/json`.",
	},
	invalid: {
		status: 422,
		title: "A value is not what it must be",
		remedy:
			"Each entry of `errors` names the path of a value and what it must be.",
	},
	internal: {
		status: 500,
		title: "Segue failed for a reason of its own",
		remedy:
			"Try again; the reason is in Segue's log under the time of the answer.",
	},
	"unreadable-definition": {
		status: 503,
		title: "The experiment's definition cannot be read by this Segue",
		remedy:
			"Start the Segue that wrote it: the answer names the row and the value. Other experiments go on.",
		retryAfterSeconds: 30,
	},
	overloaded: {
		status: 503,
		title: "Nothing more can be kept safe now",
		remedy:
			"Send the same again, with the same ids, after Retry-After seconds.",
		retryAfterSeconds: 1,
	},
	busy: {
		status: 503,
		title: "Learners did not make way in time",
		remedy:
			"Send the same again after Retry-After seconds; what was begun is completed.",
		retryAfterSeconds: 1,
	},
	"database-away": {
		status: 503,
		title: "The database is out of reach",
		remedy:
			"Ask again after Retry-After seconds; decisions and events are answered meanwhile.",
		retryAfterSeconds: 2,
	},
} as const satisfies { readonly [code: string]: ErrorKind };

export type ErrorCode = keyof typeof errorCatalogue;
