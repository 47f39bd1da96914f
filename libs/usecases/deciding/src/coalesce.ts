/**
 * Runs one task at a time. Callers that come while it runs share one further run, which starts when the current one ends,
 * so that whoever calls sees the effect of a run that began after the call.
 */
export class Coalesced {
	private running: Promise<void> | null = null;
	private next: Promise<void> | null = null;

	constructor(private readonly task: () => Promise<void>) {}

	run(): Promise<void> {
		if (this.next !== null) return this.next;
		if (this.running === null) return this.begin();
		const begin = () => this.begin();
		this.next = this.running.then(begin, begin);
		return this.next;
	}

	private begin(): Promise<void> {
		this.next = null;
		const run = this.task().finally(() => {
			if (this.running === run) this.running = null;
		});
		this.running = run;
		return run;
	}
}

/** Calls `task` every `everyMs`, never twice at once; `stop` waits for a call under way. A failure is told and the next call comes as usual. */
export class Repeated {
	private timer: NodeJS.Timeout | null = null;
	private underWay: Promise<void> = Promise.resolve();
	private stopped = false;

	constructor(
		private readonly task: () => Promise<void>,
		private readonly everyMs: number,
		private readonly failed: (error: unknown) => void,
	) {}

	start(): void {
		this.stopped = false;
		this.schedule();
	}

	async stop(): Promise<void> {
		this.stopped = true;
		if (this.timer !== null) clearTimeout(this.timer);
		await this.underWay;
	}

	private schedule(): void {
		this.timer = setTimeout(() => {
			this.underWay = this.task()
				.catch(this.failed)
				.then(() => {
					if (!this.stopped) this.schedule();
				});
		}, this.everyMs);
	}
}
