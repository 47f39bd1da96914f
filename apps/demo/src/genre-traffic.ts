import type { GenreTrack } from "./catalogue.js";
import type { Decision, OutcomeEvent } from "./contract.js";
import type { Traffic, Turn } from "./traffic.js";

/**
 * One pass over the real tracks: a listener nobody has seen before hears a track, a prompt is shown, and it is played when
 * it names the track's genre, else skipped.
 */
export class GenreTraffic implements Traffic {
	readonly experiment = "genre-prompt";
	readonly size: number;
	private position = 0;

	constructor(private readonly pass: readonly GenreTrack[]) {
		this.size = pass.length;
	}

	next(): Turn | "over" {
		const hearing = this.pass[this.position];
		if (hearing === undefined) return "over";
		this.position += 1;
		const unit = `hearing-${hearing.track.id}`;
		return {
			kind: "ask",
			request: {
				experiment: this.experiment,
				unit,
				context: hearing.track.features,
			},
			outcomes: (decision, at) => genreOutcomes(decision, unit, hearing, at),
			sent: () => {},
		};
	}
}

function genreOutcomes(
	decision: Decision,
	unit: string,
	hearing: GenreTrack,
	at: number,
): OutcomeEvent[] {
	const matches = decision.arm === hearing.genre;
	return ["impression", matches ? "play" : "skip"].map((type, i) => ({
		id: `${decision.decisionId}.${i}`,
		type,
		at,
		unit,
		decisionId: decision.decisionId,
		item: String(hearing.track.id),
	}));
}
