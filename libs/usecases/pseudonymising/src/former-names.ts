/** Most units whose former names are remembered. */
const MOST_UNITS = 100_000;

/** What units that were just asked for were called before, for looking up what is kept under those names. The oldest are forgotten first. */
export class FormerNames {
	private readonly names = new Map<string, readonly string[]>();

	constructor(
		/** Told of a name whose former ones were not known: what was looked up by it may lack what is kept under them. */
		private readonly onLinked: (name: string) => void = () => {},
		private readonly most = MOST_UNITS,
	) {}

	/** @param names the present one first */
	remember([name, ...former]: readonly string[]): void {
		if (name === undefined || former.length === 0) return;
		const isNew = !this.names.delete(name);
		this.names.set(name, former);
		if (isNew) this.onLinked(name);
		if (this.names.size <= this.most) return;
		const [oldest] = this.names.keys();
		if (oldest !== undefined) this.names.delete(oldest);
	}

	knows(name: string): boolean {
		return this.names.has(name);
	}

	of(name: string): readonly string[] {
		return this.names.get(name) ?? [];
	}
}

interface ByUnit<Kept> {
	read(units: readonly string[]): Promise<ReadonlyMap<string, Kept>>;
}

/** What a store keeps by unit, found under a former name where there is nothing under the present one. */
export async function readByAnyName<Kept>(
	store: ByUnit<Kept>,
	names: FormerNames,
	units: readonly string[],
): Promise<ReadonlyMap<string, Kept>> {
	const found = new Map(await store.read(units));
	const missing = units.filter(
		(unit) => !found.has(unit) && names.of(unit).length > 0,
	);
	if (missing.length === 0) return found;
	const former = await store.read(missing.flatMap((unit) => names.of(unit)));
	for (const unit of missing) {
		const name = names.of(unit).find((one) => former.has(one));
		if (name !== undefined) found.set(unit, former.get(name) as Kept);
	}
	return found;
}
