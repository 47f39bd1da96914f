import { withhold } from "#core/context";
import { isPlainObject, type JsonObject, type Problem } from "#core/experiment";
import { fail } from "#usecases/errors";
import { declaredFeatures, profileProblems } from "./declared-features.js";
import type {
	DeclaringDefinitions,
	ProfileMemory,
	ProfileStore,
	Withheld,
} from "./ports.js";
import { checkUnit } from "./unit.js";

/** Of the profile as JSON: 200 numbers and ten long vectors fit. */
export const MOST_PROFILE_BYTES = 65_536;
const MOST_SAID = 5;

/** Replaces a unit's whole profile. Only what some experiment declares is kept, and nothing that a person could write freely. */
export class PutProfile {
	constructor(
		private readonly definitions: DeclaringDefinitions,
		private readonly store: Pick<ProfileStore, "put">,
		private readonly memory: ProfileMemory,
		/** Absent: nothing is withheld. */
		private readonly withheld: Withheld = { of: async () => [] },
	) {}

	/** What is kept (of features that need consent: what the unit allows), which this process decides with when it is answered; others do within 2 s. Throws invalid with every path. */
	async execute(unit: string, body: unknown): Promise<JsonObject> {
		checkUnit(unit);
		const values = this.judge(body);
		let withheld = await this.withheld.of(unit);
		let stored = await this.store.put(unit, without(values, withheld));
		// A consent that was withdrawn meanwhile takes out what it finds; this takes out what it did not find.
		withheld = await this.withheld.of(unit);
		if (withheld.some((name) => Object.hasOwn(stored.values, name)))
			stored = await this.store.put(unit, without(values, withheld));
		this.memory.put(unit, stored);
		return stored.values;
	}

	private judge(body: unknown): JsonObject {
		if (!isPlainObject(body))
			throw refuse([
				{ path: "", message: "A profile is an object of feature values." },
			]);
		const values = body as JsonObject;
		const problems = profileProblems(
			values,
			declaredFeatures(this.definitions),
		);
		if (problems.length > 0) throw refuse(problems);
		const bytes = Buffer.byteLength(JSON.stringify(values));
		if (bytes > MOST_PROFILE_BYTES)
			throw refuse([
				{
					path: "",
					message: `A profile has at most ${MOST_PROFILE_BYTES} bytes, not ${bytes}.`,
				},
			]);
		return values;
	}
}

function without(values: JsonObject, names: readonly string[]): JsonObject {
	return withhold(values, new Set(names));
}

function refuse(problems: readonly Problem[]): Error {
	const said = problems
		.slice(0, MOST_SAID)
		.map(({ path, message }) =>
			path === "" ? message : `${path}: ${message}`,
		);
	return fail(
		"invalid",
		`The profile cannot be kept: ${said.join(" ")}`,
		problems,
	);
}
