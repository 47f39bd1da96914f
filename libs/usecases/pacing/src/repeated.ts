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
