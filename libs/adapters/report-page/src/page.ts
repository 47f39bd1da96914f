import type { Report } from "#core/report";
import { armMetricsSection, armsSection, trafficSection } from "./arms.js";
import { answerSection, headSection } from "./head.js";
import { html } from "./markup.js";
import { liftSection, metricsSection, segmentsSection } from "./metrics.js";
import { STYLE } from "./style.js";
import {
	checksSection,
	footnotesSection,
	guardrailsSection,
	healthSection,
	marksSection,
	notesSection,
} from "./trust.js";

/** The report as one page that needs nothing else: no script, no font, no picture from anywhere. */
export function reportPage(report: Report): string {
	const sections = [
		headSection(report),
		answerSection(report),
		liftSection(report),
		metricsSection(report),
		armsSection(report),
		armMetricsSection(report),
		trafficSection(report),
		segmentsSection(report),
		guardrailsSection(report),
		checksSection(report),
		healthSection(report),
		marksSection(report),
		notesSection(report),
		footnotesSection(report),
	];
	return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${report.name} – report</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${sections}
</main>
</body>
</html>
`.text;
}
