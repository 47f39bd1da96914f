import { randomUUID } from "node:crypto";
import {
	type Database,
	ensurePartitions,
	isRefusal,
	PostgresDefinitionStore,
	PostgresLearningLedger,
} from "#adapters/postgres";
import { compileEncoder } from "#core/context";
import {
	bucketMsFor,
	type Definition,
	type JsonObject,
	parseExperiment,
} from "#core/experiment";
import {
	type DecisionRow,
	EVENT_PACK_SUBJECT,
	type Event,
	encodeDecisions,
	encodeEvents,
	LOG_SUBJECT,
	uuidAtTime,
} from "#core/log";
import { Learn, type LearnableMessage } from "#usecases/learning";
import {
	ARMS,
	experiment as document,
	KEY,
	randomNumbers,
	requestOf,
} from "../decide/experiment.js";

const DAY_MS = 86_400_000;
const A_PACK = 200;
const PACKS_A_BATCH = 5;
/** Of each heavy listener, beside the decisions and their outcomes. */
export const OTHERS = 5;

export interface LogSize {
	/** Decisions of all units together. */
	readonly decisions: number;
	/** Heavy listeners, which are erased one after another. */
	readonly heavy: number;
	/** Decisions of each of them. */
	readonly each: number;
	/** UTC days that the decisions are spread over, the newest yesterday. */
	readonly days: number;
}

export const heavyUnit = (k: number) => `heavy-listener-${k}`;

/**
 * A log as learners write it, with an outcome for each decision: heavy listeners' decisions lie scattered among those of many units
 * that have a few each, on every day. They also have events whose decision never comes, events that name none, and kept answers.
 */
export async function learnLog(
	database: Database,
	size: LogSize,
	/** While the learners' sessions are still there. */
	onLearned: () => Promise<void> = async () => {},
): Promise<Definition> {
	const from = Math.floor(Date.now() / DAY_MS - size.days) * DAY_MS;
	await database.query(
		"update installation set horizon = segue_id_floor(to_timestamp($1 / 1000.0))",
		[from],
	);
	await ensurePartitions(
		(text, values) => database.query(text, values),
		Date.now(),
	);
	const store = new PostgresDefinitionStore(database);
	const definition = await makeDefinition(store);
	const learners = [0, 1].map(
		() =>
			new PostgresLearningLedger({
				connectionString: database.options.connectionString,
				applicationName: "segue bench learner",
				definitions: (ids) => store.byIds(ids),
			}),
	);
	let batch = 0;
	for (const messages of batchesOf(definition, size, from)) {
		const ledger = learners[batch++ % 2] as PostgresLearningLedger;
		await new Learn(ledger, isRefusal).execute(messages);
	}
	await onLearned();
	for (const ledger of learners) await ledger.close();
	await keepAnswers(database, size);
	return definition;
}

async function makeDefinition(
	store: PostgresDefinitionStore,
): Promise<Definition> {
	const parsed = parseExperiment(document);
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
	const bucketMs = bucketMsFor(parsed.value.policy);
	if (typeof bucketMs !== "number") throw new Error(bucketMs.message);
	const definition = await store.change(KEY, () => ({
		experiment: parsed.value,
		version: 1,
		state: "running",
		run: 1,
		bookedRun: 1,
		analysis: 1,
		epoch: 1,
		winner: null,
		held: false,
		bucketMs,
		action: "create",
		actor: "bench",
		why: "",
	}));
	return definition as Definition;
}

function* batchesOf(
	definition: Definition,
	size: LogSize,
	from: number,
): Generator<LearnableMessage[]> {
	const random = randomNumbers(41);
	const decide = decisionsOf(definition, random);
	const boot = randomUUID();
	const step = (size.days * DAY_MS) / size.decisions;
	const heavyShare = (size.heavy * size.each) / size.decisions;
	const left = Array.from({ length: size.heavy }, () => size.each);
	let sequence = 0;
	let rows: DecisionRow[] = [];
	let messages: LearnableMessage[] = [];
	const message = (subject: string, body: Uint8Array, storedAt: number) => {
		sequence += 1;
		messages.push({ subject, body, storedAt, position: sequence });
	};
	for (let i = 0; i < size.decisions; i++) {
		const waiting = left.reduce((sum, n) => sum + n, 0);
		const heavy =
			waiting > 0 && (waiting >= size.decisions - i || random() < heavyShare)
				? mostLeft(left)
				: null;
		rows.push(
			decide(
				Math.floor(from + i * step),
				i,
				heavy === null ? null : heavyUnit(heavy),
			),
		);
		if (heavy !== null) left[heavy] = (left[heavy] as number) - 1;
		if (rows.length < A_PACK && i < size.decisions - 1) continue;
		const storedAt = (rows.at(-1) as DecisionRow).decidedAt + 5_000;
		const events = rows.map((row) => outcomeOf(row, random));
		message(
			LOG_SUBJECT,
			encodeDecisions(rows, { boot, sequence: sequence + 1 }),
			storedAt,
		);
		message(
			EVENT_PACK_SUBJECT,
			encodeEvents(events, { boot, sequence: sequence + 1 }),
			storedAt,
		);
		rows = [];
		if (messages.length < 2 * PACKS_A_BATCH && i < size.decisions - 1) continue;
		yield messages;
		messages = [];
	}
	const at = from + size.days * DAY_MS - 1_000;
	message(
		EVENT_PACK_SUBJECT,
		encodeEvents(
			left.flatMap((_, k) => eventsOfNoDecision(heavyUnit(k), k, at)),
			{ boot, sequence: sequence + 1 },
		),
		at + 500,
	);
	yield messages;
}

function mostLeft(left: readonly number[]): number {
	return left.indexOf(Math.max(...left));
}

function decisionsOf(definition: Definition, random: () => number) {
	const encoder = compileEncoder(definition.experiment.context);
	const { arms } = definition.experiment;
	const numbers = () =>
		Float64Array.from(
			{ length: ARMS },
			() => Math.round(4_096 * random()) / 4_096,
		);
	return (at: number, i: number, unit: string | null): DecisionRow => {
		const request = requestOf(random);
		const context = request.context as JsonObject;
		const best = Math.floor(random() * ARMS);
		return {
			id: `${uuidAtTime(at).slice(0, 24)}${i.toString(16).padStart(12, "0")}`,
			experiment: KEY,
			version: definition.version,
			definitionId: definition.id,
			// Listeners of ten decisions or so.
			unit:
				unit ?? `listener-${Math.floor((random() * i) / 10 + random() * 50)}`,
			session: request.session,
			group: "policy",
			arm: (arms[best] as { key: string }).key,
			propensity: 0.95 + 0.05 / ARMS,
			distribution: "policy",
			context,
			x: encoder.encode(context).x,
			eligible: arms.map((_, arm) => arm),
			excluded: {},
			means: numbers(),
			propensities: new Float64Array(ARMS)
				.fill(0.05 / ARMS)
				.with(best, 0.95 + 0.05 / ARMS),
			policyPropensities: null,
			missing: [],
			degraded: [],
			decidedAt: at,
			origin: "server",
			parent: null,
			traceId: null,
			requestId: null,
			consent: null,
			privacyVersion: null,
			extra: null,
			revision: 1,
			referenceBucket: Math.floor(at / definition.bucketMs),
			coreVersion: "e1k3d2",
		};
	};
}

function outcomeOf(row: DecisionRow, random: () => number): Event {
	return {
		id: `event-${row.id}`,
		type: random() < 0.3 ? "play" : "impression",
		at: row.decidedAt + 1_000,
		unit: row.unit,
		decisionId: row.id,
		...(row.session === null ? {} : { session: row.session }),
		item: `track-${Math.floor(random() * 1e9)}`,
		properties: { surface: "home", position: Math.floor(random() * 10) },
	};
}

function eventsOfNoDecision(unit: string, k: number, at: number): Event[] {
	return Array.from({ length: OTHERS }, (_, i) => [
		{ id: `signal-${k}-${i}`, type: "skip", at, unit },
		{
			id: `parked-${k}-${i}`,
			type: "play",
			at,
			unit,
			decisionId: `${uuidAtTime(at).slice(0, 24)}f${(k * OTHERS + i).toString(16).padStart(11, "0")}`,
		},
	]).flat();
}

async function keepAnswers(database: Database, size: LogSize): Promise<void> {
	await database.query(
		`insert into requests (experiment, kind, key, decision_id, unit, answer, expires_at)
		select $1, 'request', d.unit || d.id, d.id, d.unit, '{}', now() + interval '1 day' from (
			select h.unit, o.id from unnest($2::text[]) as h (unit) cross join lateral (
				select p.id from decisions p where p.unit = h.unit limit $3
			) o
		) d`,
		[KEY, Array.from({ length: size.heavy }, (_, k) => heavyUnit(k)), OTHERS],
	);
}
