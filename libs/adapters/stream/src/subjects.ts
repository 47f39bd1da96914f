/** Everything durable: packs of decisions, events. */
export const LOG_SUBJECTS = "segue.log.>";
export const EVENT_SUBJECTS = "segue.events.>";

const POSTERIORS = "segue.posteriors.";

export const POSTERIOR_SUBJECTS = `${POSTERIORS}*`;

export function posteriorSubject(experiment: string): string {
	return POSTERIORS + experiment;
}

export interface Announcement {
	readonly experiment: string;
	readonly revision: number;
}

export function encodeAnnouncement(
	experiment: string,
	revision: number,
): string {
	return JSON.stringify({ experiment, revision });
}

/** Null for what is not an announcement: anyone may write to the subject. */
export function decodeAnnouncement(text: string): Announcement | null {
	try {
		const value: unknown = JSON.parse(text);
		if (typeof value !== "object" || value === null) return null;
		const { experiment, revision } = value as Partial<
			Record<keyof Announcement, unknown>
		>;
		if (typeof experiment !== "string" || !Number.isSafeInteger(revision))
			return null;
		return { experiment, revision: revision as number };
	} catch {
		return null;
	}
}
