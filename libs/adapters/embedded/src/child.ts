/** A server that Segue runs beside itself: restarted when it dies, stopped last. */
export interface Child {
	/** For people: what it is, where it listens and where its data lies. No secrets. */
	readonly description: string;
	/** Of the process that runs now; another one after a restart. */
	readonly pid: number;
	/** Resolves once the process has ended, and it stays ended. A repeated call waits for the same end. */
	stop(): Promise<void>;
}

/** The part of a pino logger that is used here; handed in, since adapters never meet. */
export interface Log {
	info(fields: object, message: string): void;
	warn(fields: object, message: string): void;
	error(fields: object, message: string): void;
}
