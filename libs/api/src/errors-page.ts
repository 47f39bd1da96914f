import { errorCatalogue } from "#usecases/errors";

/** The catalogue as a page with an anchor per code. */
export function errorsPage(): string {
	const sections = Object.entries(errorCatalogue).map(
		([code, { status, title, remedy }]) =>
			`<section id="${code}"><h2><code>${code}</code> (${status})</h2><p>${escapeHtml(title)}.</p><p>${escapeHtml(remedy)}</p></section>`,
	);
	return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Segue: errors</title><h1>Errors</h1>${sections.join("")}</html>`;
}

function escapeHtml(text: string): string {
	return text
		.replaceAll("&", "&amp;")
		.replaceAll("<", "&lt;")
		.replaceAll(">", "&gt;");
}
