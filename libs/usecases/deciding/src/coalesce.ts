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
