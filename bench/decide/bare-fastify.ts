import fastify from "fastify";

/**
 * What bench:decide is measured against: Fastify and nothing else. It parses the body, checks it against the same schema, and
 * answers the same bytes as the decider does.
 */

const printable = { type: "string", minLength: 1, maxLength: 256 };
const body = {
	type: "object",
	additionalProperties: false,
	required: ["experiment", "unit"],
	properties: {
		experiment: { type: "string", pattern: "^[a-z0-9][a-z0-9-]{0,63}$" },
		unit: printable,
		session: printable,
		requestId: printable,
		mode: { enum: ["draw", "best"] },
		explain: { type: "boolean" },
		eligible: { type: "array", items: { type: "string" } },
		context: {
			type: "object",
			properties: {
				hour: { type: "number" },
				weekday: { type: "number" },
				device: { type: "string", maxLength: 256 },
				plan: { type: "string", maxLength: 256 },
				headphones: { type: "boolean" },
				shuffle: { type: "boolean" },
				tempo: { type: "number" },
				energy: { type: "number" },
				valence: { type: "number" },
				danceability: { type: "number" },
				acousticness: { type: "number" },
				novelty: { type: "number" },
				taste: {
					type: "array",
					minItems: 12,
					maxItems: 12,
					items: { type: "number" },
				},
				activity: { enum: ["sleep", "work", "run", "home"] },
				locale: { type: "string", maxLength: 256 },
				client: { type: "string", maxLength: 256 },
				surface: { type: "string", maxLength: 256 },
				playing: { type: "string", maxLength: 256 },
				playlist: { type: "string", maxLength: 256 },
				referrer: { type: "string", maxLength: 256 },
			},
		},
	},
};

const answer = process.env.ANSWER ?? "{}";
const server = fastify({ logger: false });
server.get("/ready", async () => ({ ready: true }));
server.post("/v1/decisions", { schema: { body } }, (_request, reply) => {
	reply.header("content-type", "application/json; charset=utf-8").send(answer);
});
process.once("SIGTERM", () => void server.close());
await server.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
