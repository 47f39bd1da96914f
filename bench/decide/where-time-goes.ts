/** A CPU profile as the inspector gives it: the parts that are read here. */
export interface CpuProfile {
	readonly nodes: readonly {
		readonly id: number;
		readonly callFrame: {
			readonly functionName: string;
			readonly url: string;
		};
		readonly children?: readonly number[];
	}[];
	readonly samples: readonly number[];
	/** Microseconds since the sample before. */
	readonly timeDeltas: readonly number[];
}

/** Which stage a stack belongs to: of its frames, from the outermost, the first that is named here decides. */
const STAGES: readonly (readonly [stage: string, where: RegExp])[] = [
	["idle", /\(idle\)$|\(program\)$/],
	["garbage collection", /\(garbage collector\)$/],
	["parse", /json-body\.js|deciding\/src\/(request|read-request)\.js/],
	["encode", /core\/context\/|gather-context\.js|compiled-definition\.js/],
	["eligibility", /judge-arms\.js|experiment\/src\/eligibility\.js/],
	[
		"score and draw",
		/core\/policy\/|core\/linalg\/|serve-group\.js|assignment\.js|prepared-models\.js|posterior-cache\.js/,
	],
	["log: row and pack", /core\/log\/|decision-row\.js|rough-bytes\.js/],
	[
		"log: publish",
		/ingesting\/|adapters\/stream\/|@nats-io|recent-decisions\.js/,
	],
	["metrics", /prom-client|telemetry/],
	["serialise", /decide-straight\.js serialise$/],
	["ids", /uuid|mint-ids/],
	["decide", /usecases\/deciding/],
	["door", /@nestjs|libs\/api/],
	["Fastify", /node_modules\/(fastify|find-my-way|light-my-request|@fastify)/],
	["node: http and sockets", /node:|writev|writeBuffer|writeUtf8String/],
];
/** Frames that call everything below them: they decide only where nothing more precise is in the stack. */
const WIDE = new Set(["decide", "door", "Fastify", "node: http and sockets"]);
/** A stage that is told apart from the one it is called by. */
const WITHIN = new Map([["log: publish", "log: row and pack"]]);

/** Microseconds of each stage in the profile; a stage's time includes what it calls. */
export function stagesOf(profile: CpuProfile): Map<string, number> {
	const stageOf = new Map<number, string>();
	const byId = new Map(profile.nodes.map((node) => [node.id, node]));
	const walk = (id: number, above: string) => {
		const node = byId.get(id);
		if (node === undefined) return;
		const stage = narrower(above, nameOf(node.callFrame));
		stageOf.set(id, stage);
		for (const child of node.children ?? []) walk(child, stage);
	};
	const root = profile.nodes[0];
	if (root !== undefined) walk(root.id, "other");
	const sums = new Map<string, number>();
	profile.samples.forEach((id, index) => {
		const stage = stageOf.get(id) ?? "other";
		sums.set(stage, (sums.get(stage) ?? 0) + (profile.timeDeltas[index] ?? 0));
	});
	return sums;
}

function narrower(above: string, own: string | null): string {
	if (own === null) return above;
	const isOwn =
		above === "other" || WIDE.has(above) || WITHIN.get(above) === own;
	return isOwn ? own : above;
}

function nameOf({
	functionName,
	url,
}: {
	readonly functionName: string;
	readonly url: string;
}): string | null {
	const place = `${url} ${functionName}`;
	return STAGES.find(([, where]) => where.test(place))?.[0] ?? null;
}
