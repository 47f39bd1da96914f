import type { INestApplication } from "@nestjs/common";
import { DocumentBuilder, SwaggerModule } from "@nestjs/swagger";

/** OpenAPI at /docs, as JSON at /docs-json; call before the app listens. */
export function serveDocs(app: INestApplication, version: string): void {
	const description =
		"Decides which prompt variant and which playlist a listener gets, learns from what happens next, and reports what it was worth. Errors are problem details (RFC 9457); /docs/errors lists their codes.";
	const config = new DocumentBuilder()
		.setTitle("Segue")
		.setDescription(description)
		.setVersion(version)
		.build();
	SwaggerModule.setup("docs", app, SwaggerModule.createDocument(app, config), {
		jsonDocumentUrl: "docs-json",
	});
}
