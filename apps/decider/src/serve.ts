import type { DynamicModule, LoggerService } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { type MicroserviceOptions, Transport } from "@nestjs/microservices";
import type { NestFastifyApplication } from "@nestjs/platform-fastify";
import { natsEndpoints } from "#adapters/stream";
import {
	createHttpAdapter,
	PlainJsonDeserializer,
	PlainJsonSerializer,
	serveDocs,
} from "#api";
import type { Log } from "../../boot/src/log.js";
import { packageVersion } from "../../boot/src/package-root.js";
import type { Shutdown } from "../../boot/src/shutdown.js";

export interface Door {
	readonly host: string;
	readonly port: number;
	/** Where `segue.decide` is answered; null for no request-reply. */
	readonly natsUrl: string | null;
	/** Whether the OpenAPI pages are served. */
	readonly docs: boolean;
	/** Where Nest's own words go. */
	readonly log: Log;
}

/** Opens a process's door: HTTP, and request-reply where there is a broker. Returns the address; closing finishes what is in flight. */
export async function serve(
	module: DynamicModule,
	door: Door,
	shutdown: Shutdown,
): Promise<string> {
	const app = await NestFactory.create<NestFastifyApplication>(
		module,
		createHttpAdapter(),
		{
			logger: nestLog(door.log),
			abortOnError: false,
		},
	);
	if (door.docs) serveDocs(app, packageVersion());
	if (door.natsUrl !== null) {
		app.connectMicroservice<MicroserviceOptions>({
			transport: Transport.NATS,
			options: {
				...natsEndpoints(door.natsUrl),
				name: "segue.decide",
				maxReconnectAttempts: -1,
				reconnectTimeWait: 250,
				gracefulShutdown: true,
				gracePeriod: 100,
				serializer: new PlainJsonSerializer(),
				deserializer: new PlainJsonDeserializer(),
			},
		});
		await app.startAllMicroservices();
	}
	shutdown.add("door", () => app.close());
	await app.listen(door.port, door.host);
	return `http://${door.host.includes(":") ? `[${door.host}]` : door.host}:${door.port}`;
}

/** Nest's warnings and errors as lines of our log; its chatter about routes is left out. */
function nestLog(log: Log): LoggerService {
	const words = (message: unknown) => `Nest: ${String(message)}`;
	return {
		log: () => {},
		warn: (message: unknown) => log.warn(words(message)),
		error: (message: unknown) => log.error(words(message)),
		fatal: (message: unknown) => log.fatal(words(message)),
	};
}
