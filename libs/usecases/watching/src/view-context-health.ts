import type { FeatureHealth } from "#core/health";
import type { ToldContextHealth, UnseenLevels } from "./read-context-health.js";

/** The health of a context as the API shows it: times as ISO 8601, unseen levels with their feature. */
export interface ContextHealthView
	extends Pick<
		ToldContextHealth,
		"experiment" | "version" | "run" | "state" | "revisionsBehind"
	> {
	readonly window: {
		readonly hours: number;
		readonly from: string;
		readonly to: string;
		readonly decisions: number;
	};
	readonly launch: {
		readonly complete: boolean;
		readonly decisions: number;
		readonly needed: number;
		readonly from: string | null;
		readonly to: string | null;
	};
	/** Whether any feature alarms. */
	readonly alarm: boolean;
	readonly features: readonly (Omit<FeatureHealth, "unseen"> & {
		readonly unseen:
			| (NonNullable<FeatureHealth["unseen"]> & Pick<UnseenLevels, "levels">)
			| null;
	})[];
}

export function viewContextHealth({
	unseen,
	window,
	launch,
	features,
	...run
}: ToldContextHealth): ContextHealthView {
	const levelsOf = (name: string) =>
		unseen.find(({ feature }) => feature === name)?.levels ?? [];
	return {
		...run,
		window: { ...window, from: iso(window.from), to: iso(window.to) },
		launch: {
			...launch,
			from: launch.from === null ? null : iso(launch.from),
			to: launch.to === null ? null : iso(launch.to),
		},
		alarm: features.some(({ alarms }) => alarms.length > 0),
		features: features.map((feature) => ({
			...feature,
			unseen: feature.unseen && {
				...feature.unseen,
				levels: levelsOf(feature.feature),
			},
		})),
	};
}

function iso(time: number): string {
	return new Date(time).toISOString();
}
