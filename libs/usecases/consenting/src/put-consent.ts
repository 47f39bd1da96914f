import {
	type PrivacyPolicy,
	parseConsent,
	type WrittenConsent,
	writeConsent,
} from "#core/privacy";
import { fail } from "#usecases/errors";
import { checkUnit, type DeclaringDefinitions } from "#usecases/profiling";
import type { ConsentMemory, ConsentStore, WithheldMemory } from "./ports.js";
import { withheldFromProfiles } from "./withheld-from-profiles.js";

/** Replaces all that is known of a unit's consent. Values of its profile that it allows no longer go with the same commit. */
export class PutConsent {
	constructor(
		private readonly policy: PrivacyPolicy,
		private readonly definitions: DeclaringDefinitions,
		private readonly store: Pick<ConsentStore, "put">,
		private readonly memory: ConsentMemory,
		private readonly profiles: WithheldMemory,
	) {}

	/** What is kept, which this process obeys when it is answered; others do within 2 s. Throws invalid with every path. */
	async execute(unit: string, body: unknown): Promise<WrittenConsent> {
		checkUnit(unit);
		const read = parseConsent(this.policy, body, "");
		if (!read.ok) {
			const said = read.problems
				.slice(0, 5)
				.map(({ path, message }) =>
					path === "" ? message : `${path}: ${message}`,
				);
			throw fail(
				"invalid",
				`The consent cannot be kept: ${said.join(" ")}`,
				read.problems,
			);
		}
		const withheld = withheldFromProfiles(
			this.policy,
			this.definitions,
			read.value,
		);
		const row = await this.store.put(unit, read.value, withheld);
		this.memory.put(unit, row);
		this.profiles.forget(unit);
		return writeConsent(row.values);
	}
}
