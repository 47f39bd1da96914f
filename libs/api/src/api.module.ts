import {
	type DynamicModule,
	Inject,
	Module,
	type Provider,
} from "@nestjs/common";
import { APP_FILTER, HttpAdapterHost } from "@nestjs/core";
import { ConsentsConsumer } from "./consents.consumer.js";
import { ConsentsController } from "./consents.controller.js";
import { ContextHealthController } from "./context-health.controller.js";
import { DecideConsumer } from "./decide.consumer.js";
import { decideStraight } from "./decide-straight.js";
import { DecisionsController } from "./decisions.controller.js";
import { DocsController } from "./docs.controller.js";
import { EventsConsumer } from "./events.consumer.js";
import { EventsController } from "./events.controller.js";
import { ExperimentHistoryController } from "./experiment-history.controller.js";
import {
	ExperimentStatesController,
	ExperimentsController,
} from "./experiments.controller.js";
import { GuardrailsController } from "./guardrails.controller.js";
import { SegueHttpAdapter } from "./http-adapter.js";
import { LedgerController } from "./ledger.controller.js";
import { OperationsController } from "./operations.controller.js";
import type { ApiParts, OperationsParts } from "./parts.js";
import { ProblemFilter } from "./problem.filter.js";
import { ProfilesConsumer } from "./profiles.consumer.js";
import { ProfilesController } from "./profiles.controller.js";
import { ReportsController } from "./reports.controller.js";
import { operationsTokens, tokens } from "./tokens.js";
import { UnitsController } from "./units.controller.js";

/** Every route of a decider, over use cases that the app has wired. */
@Module({})
export class ApiModule {
	constructor(
		@Inject(HttpAdapterHost) { httpAdapter }: HttpAdapterHost,
		@Inject(tokens.decide) decide: ApiParts["decide"],
		@Inject(tokens.isDatabaseAway) isDatabaseAway: ApiParts["isDatabaseAway"],
		@Inject(tokens.onUnexpected) onUnexpected: ApiParts["onUnexpected"],
	) {
		if (httpAdapter instanceof SegueHttpAdapter)
			httpAdapter.bindStraight(
				decideStraight({ decide, isDatabaseAway, onUnexpected }),
			);
	}

	static with(parts: ApiParts): DynamicModule {
		return {
			module: ApiModule,
			controllers: [
				DecisionsController,
				EventsController,
				ExperimentsController,
				ExperimentStatesController,
				ExperimentHistoryController,
				ReportsController,
				ContextHealthController,
				GuardrailsController,
				UnitsController,
				ProfilesController,
				ConsentsController,
				LedgerController,
				OperationsController,
				DocsController,
				DecideConsumer,
				EventsConsumer,
				ProfilesConsumer,
				ConsentsConsumer,
			],
			providers: [
				...provide(tokens, parts),
				{ provide: APP_FILTER, useClass: ProblemFilter },
			],
		};
	}
}

/** Health and metrics alone: what a learner answers. */
@Module({})
// biome-ignore lint/complexity/noStaticOnlyClass: a Nest module is a class.
export class OperationsModule {
	static with(parts: OperationsParts): DynamicModule {
		return {
			module: OperationsModule,
			controllers: [OperationsController],
			providers: [
				...provide(operationsTokens, parts),
				{ provide: APP_FILTER, useClass: ProblemFilter },
			],
		};
	}
}

function provide<K extends string>(
	symbols: Readonly<Record<K, symbol>>,
	parts: Readonly<Record<K, unknown>>,
): Provider[] {
	return (Object.keys(symbols) as K[]).map((name) => ({
		provide: symbols[name],
		useValue: parts[name],
	}));
}
