/** How each number of a report is computed, where that comes from, and what it takes for granted. */

export type FootnoteId = (typeof FOOTNOTES)[number]["id"];

export interface Footnote {
	readonly id: FootnoteId;
	readonly title: string;
	readonly formula: string;
	readonly reference: string;
	readonly assumptions: string;
}

export const FOOTNOTES = [
	{
		id: "ratio",
		title: "A group's mean",
		formula:
			"R = ΣC / Σn over units; Var R ≈ Σ(C − R·n)² · U / ((U − 1)·(Σn)²)",
		reference:
			"Delta method over units: Deng, Knoblich, Lu 2018, Applying the Delta Method in Metric Analytics, eq. (4).",
		assumptions:
			"Units are independent of each other; there are enough of them for the ratio to be near its linearisation (from 100 on it is shown).",
	},
	{
		id: "lift",
		title: "Lift",
		formula:
			"L = R_policy − R_control; L ± SE·√((1 + 1/m)(log(1 + m) + 2 log(1/α))), m = τ²/SE²; over epochs Σ w·L and Σ w·SE, w the epoch's share of the policy's decisions",
		reference:
			"Normal mixture with the information 1/SE² as its clock: Robbins 1970; Howard, Ramdas, McAuliffe, Sekhon 2021, Prop. 5; Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2024; information as clock: Jennison, Turnbull 2000, ch. 3.",
		assumptions:
			"Units are split by a hash, so the groups differ in nothing else. It is an average so far of what the policy, as it then was, earned more than the baseline: intervals of different days may not be intersected. Control's decisions teach the policy too. τ was fixed before the start. An epoch lasts as long as control's share, over pauses too.",
	},
	{
		id: "p-value",
		title: "p-value",
		formula:
			"p = min over looks of √(1 + m)·exp(−½·(L/SE)²·m/(1 + m)), at most 1",
		reference: "Johari, Koomen, Pekelis, Walsh 2022, Always Valid Inference.",
		assumptions:
			"It tests that there was no lift at any time so far; it is no chance to win.",
	},
	{
		id: "relative-lift",
		title: "Relative lift",
		formula:
			"(R_policy − R_control)/|R_control|; all r − 1 for which the sequence of R_policy − r·R_control holds 0",
		reference:
			"Fieller 1954, Some Problems in Interval Estimation, with the lift's sequence in the place of its quantile.",
		assumptions:
			"As for the lift. Withheld while control's mean is within 3 standard errors of 0, or its own sequence holds 0.",
	},
	{
		id: "cohort",
		title: "Each listener's first 7 days",
		formula:
			"As the lift, over units whose first 7 days are over, and decisions within these",
		reference: "Closed cohorts: every unit has been in for equally long.",
		assumptions:
			"As for the lift. A listener for whom the experiment ended within the 7 days is left out.",
	},
	{
		id: "cuped",
		title: "Adjusted lift",
		formula: "Y − θ(X − X̄), θ = Cov(Y, X)/Var X over units of both groups",
		reference: "CUPED: Deng, Xu, Kohavi, Walker 2013.",
		assumptions:
			"The covariate was known before the unit was assigned, so the policy cannot have moved it.",
	},
	{
		id: "arm-value",
		title: "An arm's value",
		formula:
			"Σh·s / Σh, s = m̂ + 1{A = a}/p·(R − m̂), h = 1/(mean of 1/p over earlier rows of the group), held for up to 512 rows and at most 5p; asymptotic confidence sequence at α/K",
		reference:
			"AIPW: Robins, Rotnitzky, Zhao 1994; weights: Hadad, Hirshberg, Zhan, Wager, Athey 2021; sequence: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2024, Theorem 2.2.",
		assumptions:
			"Logged propensities are exact; showing does not depend on the arm. It is the weighted average, over the decisions so far, of the reward had that arm been shown. Shown from 50 effective draws on.",
	},
	{
		id: "segment",
		title: "Segments",
		formula: "As the lift, at α over the number of segment levels",
		reference: "Bonferroni.",
		assumptions: "The segments were declared before the start.",
	},
	{
		id: "guardrail",
		title: "Guardrails",
		formula:
			"One-sided normal mixture over units, at α over the number of guardrails",
		reference: "As the lift.",
		assumptions:
			"A decision counts once its window has closed; counted afresh with each start and resume.",
	},
	{
		id: "sample-ratio",
		title: "Sample ratio",
		formula:
			"BF = B(α₀·ρ + counts)/B(α₀·ρ) · Π ρ_i^(−count_i), α₀ = 100,000; p = min over looks of 1/BF",
		reference:
			"Sequential test of a multinomial: Lindon, Malek 2022, Anytime-Valid Inference for Multinomial Count Data.",
		assumptions:
			"A unit is exposed to the experiment from its first decision in the epoch on, shown or not, and is counted there; whether both groups were then shown alike is a check of its own. Alarm below p = 0.001.",
	},
	{
		id: "row-loss",
		title: "Lost rows",
		formula:
			"Σ(1{A = a} − p(a)) per arm stays within its anytime-valid bound; no gap in the publishers' numbers",
		reference: "Howard, Ramdas, McAuliffe, Sekhon 2021.",
		assumptions: "Logged propensities are exact.",
	},
	{
		id: "both-groups",
		title: "Units in both groups",
		formula: "Units seen in policy and control within one epoch",
		reference: "The split is a keyed hash of the unit, fixed within an epoch.",
		assumptions: "A unit keeps its id.",
	},
	{
		id: "impression-rate",
		title: "Showing does not depend on the arm",
		formula:
			"χ² of shown and not shown by arm, over control's decisions where these are drawn uniformly",
		reference: "Pearson 1900.",
		assumptions:
			"Decisions are taken as independent; it warns and covers the arms' values.",
	},
	{
		id: "shown-alike",
		title: "Policy and control are shown alike",
		formula:
			"p of impression_rate, policy − control, by the lift's mixture with τ = 0.05; Var R ≈ Σ(C − R·n)²/(Σn)², R of both groups together; p = min over looks",
		reference: "As the lift.",
		assumptions:
			"Where decisions that were never shown teach nothing, the lift rests on those shown. Units are independent; from 5 units that are to be expected unshown (and shown) in each group on. Alarm below p = 0.001.",
	},
	{
		id: "per-learned-decision",
		title: "Per decision",
		formula:
			"n = 1 for each decision that taught, C = its reward, or what of its events is counted (`per: decision`)",
		reference: "Segue's own, as docs/experiments.md has it.",
		assumptions:
			"With learn: impression a decision that was never shown teaches nothing and is not in n; with learn: decision all are. What is counted stands as the reward judges it: of the decision's own listener, within its window, not taken back.",
	},
	{
		id: "per-decision",
		title: "Of all decisions",
		formula: "n = 1 for each decision, C = 1 where it was shown",
		reference: "Segue's own, as docs/experiments.md has it.",
		assumptions:
			"An event that names the decision proves that it was shown, so a client that reports no impressions makes this too low.",
	},
	{
		id: "per-impression",
		title: "Per impression",
		formula:
			"n = 1 for each decision that was shown, C = what is counted of it",
		reference: "Segue's own, as docs/experiments.md has it.",
		assumptions:
			"An event that names the decision proves that it was shown. A client that reports no impressions leaves only decisions that something came of, so such a rate is too high, and more so in the group of which more comes: see the check of what was shown alike.",
	},
	{
		id: "per-event",
		title: "Per decision with an event",
		formula:
			"n = 1 for each decision that had such an event (a play), C = what is counted of it",
		reference: "Segue's own, as docs/experiments.md has it.",
		assumptions:
			"Which decisions have such an event depends on what was shown, so it compares what became of different ones: read it beside the rate of that event.",
	},
	{
		id: "per-session",
		title: "Per session",
		formula:
			"n = 1 for each session, C = seconds from its first decision to the last decision or event that names one",
		reference: "Segue's own, as docs/experiments.md has it.",
		assumptions: "Decisions name their session; what names none is in none.",
	},
	{
		id: "per-listener",
		title: "Per listener",
		formula: "n = 1 for each listener, C = the total of its events",
		reference: "Segue's own, as docs/experiments.md has it.",
		assumptions:
			"Only events that name a decision count, within its window: what a listener buys elsewhere is not in premium_rate and revenue. A listener who was there for longer had more time, in both groups alike.",
	},
	{
		id: "returns",
		title: "Came back",
		formula:
			"n = 1 for each listener whose days are over, C = 1 where it was back within them, in another hour of the clock than the first decision's and the next: by a decision; with sticky: unit by asking again, or by an event of the decision that stands",
		reference: "Closed cohorts: every listener has been in for equally long.",
		assumptions:
			"Who came so late that the experiment was stopped or paused, or had another control share, when the days were over is left out: nobody knows whether they would have come back. In an hour in which it was paused, or held by a guardrail, nobody comes back, in both groups alike. With sticky: unit any event of the decision counts as being there, also one past the window that earns nothing, but for what was taken back; and a listener counts for the arm of the first decision. An ask that was answered by a process which died at once is not known of.",
	},
	{
		id: "health",
		title: "Health",
		formula:
			"Effective draws (Σw)²/Σw², w = h/p over an arm's draws; degraded: decisions of policy and control that name something in degraded, over all of them",
		reference: "Effective sample size: Kish 1965.",
		assumptions:
			"Of booked decisions, from rollups; exploration of the policy's last day with decisions; missing features of the last eight days of the run; late events of the experiment since it exists.",
	},
] as const;
