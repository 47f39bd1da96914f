import { canonicalJson } from "#core/experiment";
import type { DefinitionAudit, StoredDefinition } from "#usecases/defining";
import type { Since } from "./ports.js";

const PAGE = 20;
/** Definition rows whose answer is remembered. */
const MOST = 1_000;

/**
 * From which definition row on guardrails count: the first since when nothing has changed that they depend on. So they count afresh from each
 * start and resume, and from an edit of theirs, of a metric, of what is learned or of control's share; each time with all of their α.
 */
export class CountedSince {
	readonly #known = new Map<number, Since>();

	constructor(private readonly audit: Pick<DefinitionAudit, "page">) {}

	async of(definition: StoredDefinition): Promise<Since> {
		const known = this.#known.get(definition.id);
		if (known !== undefined) return known;
		if (this.#known.size >= MOST) this.#known.clear();
		const since = await this.#find(definition);
		this.#known.set(definition.id, since);
		return since;
	}

	async #find(definition: StoredDefinition): Promise<Since> {
		const same = signatureOf(definition);
		let first = definition;
		while (true) {
			const rows = await this.audit.page(
				definition.experiment.key,
				first.id,
				PAGE,
			);
			for (const row of rows) {
				if (signatureOf(row) !== same)
					return { id: first.id, at: first.createdAt };
				first = row;
			}
			if (rows.length < PAGE) return { id: first.id, at: first.createdAt };
		}
	}
}

function signatureOf({
	experiment: { guardrails, metrics },
	state,
	held,
	version,
	run,
	epoch,
}: StoredDefinition): string {
	const depends = { guardrails, define: metrics?.define ?? [] };
	return canonicalJson({
		...JSON.parse(JSON.stringify(depends)),
		state,
		held,
		version,
		run,
		epoch,
	});
}
