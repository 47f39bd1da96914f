/** What units are called. */
export interface UnitNames {
	/** Whether what happened at an instant names its unit as it must; learners refuse what does not. */
	isNamed(unit: string, instant: number): boolean;
	/** From when on units have the names of an instant, milliseconds. */
	since(instant: number): number;
}
