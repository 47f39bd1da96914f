import { Controller, Get, Header } from "@nestjs/common";
import { ApiExcludeController } from "@nestjs/swagger";
import { errorsPage } from "./errors-page.js";

/** Where the `type` of a problem leads. */
@ApiExcludeController()
@Controller("docs")
export class DocsController {
	@Get("errors")
	@Header("content-type", "text/html; charset=utf-8")
	errors(): string {
		return errorsPage();
	}
}
