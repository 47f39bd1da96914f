import type {
	Audit,
	Change,
	ContextHealth,
	EditedExperiment,
	Experiment,
	ExperimentDocument,
	Guardrails,
	Ledger,
	Posterior,
	PutExperiment,
	Report,
	RollbackTo,
} from "./contract-experiments.js";
import { type Asked, type HttpOptions, json, text } from "./http.js";
import { type RetryOptions, retrying } from "./retry.js";

/**
 * Segue's experiments. What is read or put is asked again while Segue cannot be reached; a start, pause, resume, stop or rollback is asked
 * once, since a repeat of what was done is refused: where it rejects with SegueUnreachable, `get` says whether it was.
 */
export class SegueExperiments {
	constructor(private readonly options: HttpOptions & RetryOptions) {}

	async list(): Promise<readonly Experiment[]> {
		const { experiments } = await this.repeated<{
			experiments: readonly Experiment[];
		}>({ method: "GET", path: "/v1/experiments" });
		return experiments;
	}

	async get(key: string): Promise<Experiment> {
		return this.read<Experiment>(key);
	}

	/** Creates it as a draft, or edits it. What is there already changes nothing. */
	async put(
		document: ExperimentDocument,
		change: Change = {},
	): Promise<PutExperiment> {
		return this.repeated<PutExperiment>({
			method: "PUT",
			path: pathOf(document.key),
			body: document,
			headers: headersOf(change),
		});
	}

	/** A draft, or what is paused or stopped: a new run. */
	async start(key: string, change: Change = {}): Promise<Experiment> {
		return this.act<Experiment>(key, "start", {}, change);
	}

	/** Everyone gets the baseline arm; nothing is learned from that. */
	async pause(key: string, change: Change = {}): Promise<Experiment> {
		return this.act<Experiment>(key, "pause", {}, change);
	}

	/** What is paused, or what a guardrail holds. */
	async resume(key: string, change: Change = {}): Promise<Experiment> {
		return this.act<Experiment>(key, "resume", {}, change);
	}

	/** Everyone gets the winner, or without one the baseline arm. */
	async stop(
		key: string,
		change: Change & { readonly winner?: string | null } = {},
	): Promise<Experiment> {
		const { winner } = change;
		const named = winner === undefined ? {} : { winner };
		return this.act<Experiment>(key, "stop", named, change);
	}

	/** Makes a former definition the current one again; the state stays. */
	async rollBack(
		key: string,
		to: RollbackTo,
		change: Change = {},
	): Promise<EditedExperiment> {
		return this.act<EditedExperiment>(key, "rollback", { to }, change);
	}

	/** Who changed it, when, what and why, newest first; `before` is the last answer's, for what is older. */
	async audit(
		key: string,
		page: { readonly limit?: number; readonly before?: number } = {},
	): Promise<Audit> {
		return this.read<Audit>(key, "audit", page);
	}

	/** What its guardrails have counted and done. */
	async guardrails(key: string): Promise<Guardrails> {
		return this.read<Guardrails>(key, "guardrails");
	}

	/** How its context does against launch, over the last 24 hours or as many as are named, 168 at most. */
	async context(
		key: string,
		window: { readonly hours?: number } = {},
	): Promise<ContextHealth> {
		return this.read<ContextHealth>(key, "context", window);
	}

	/** What became of everything delivered; `-` as key for what names no experiment. */
	async ledger(key: string): Promise<Ledger> {
		return this.read<Ledger>(key, "ledger");
	}

	async posterior(
		key: string,
		only: { readonly arm?: string } = {},
	): Promise<Posterior> {
		return this.read<Posterior>(key, "posterior", only);
	}

	async report(key: string): Promise<Report> {
		return this.read<Report>(key, "report");
	}

	/** The report as a table, or as a page of its own. */
	async reportAs(key: string, format: "csv" | "html"): Promise<string> {
		const path = pathOf(key, "report", { format });
		return retrying(this.options, () =>
			text(this.options, { method: "GET", path }),
		);
	}

	private act<T>(
		key: string,
		action: string,
		body: object,
		{ why, ...change }: Change,
	): Promise<T> {
		return json<T>(this.options, {
			method: "POST",
			path: pathOf(key, action),
			body: { ...body, ...(why !== undefined && { why }) },
			headers: headersOf(change),
		});
	}

	private read<T>(key: string, what = "", query: Query = {}): Promise<T> {
		return this.repeated<T>({ method: "GET", path: pathOf(key, what, query) });
	}

	private repeated<T>(asked: Asked): Promise<T> {
		return retrying(this.options, () => json<T>(this.options, asked));
	}
}

interface Query {
	readonly [name: string]: string | number | undefined;
}

function pathOf(key: string, what = "", query: Query = {}): string {
	const given = new URLSearchParams();
	for (const [name, value] of Object.entries(query))
		if (value !== undefined) given.set(name, String(value));
	const asked = given.size === 0 ? "" : `?${given.toString()}`;
	const of = `/v1/experiments/${encodeURIComponent(key)}`;
	return `${of}${what === "" ? "" : `/${what}`}${asked}`;
}

function headersOf({ ifMatch, actor, why }: Change): Record<string, string> {
	return {
		...(ifMatch !== undefined && { "if-match": ifMatch }),
		...(actor !== undefined && { "x-segue-actor": inHeader(actor) }),
		...(why !== undefined && { "x-segue-why": inHeader(why) }),
	};
}

/** A header's characters are bytes; these are the text's in UTF-8. */
function inHeader(text: string): string {
	const line = text.replace(/\s+/g, " ").trim();
	return String.fromCharCode(...new TextEncoder().encode(line));
}
