import {
	PostgresDecisionReads,
	PostgresDefinitionStore,
	PostgresRevisionReads,
} from "#adapters/postgres";
import { isDecisionId } from "#core/log";
import {
	type ExplainedAgain,
	type ExplainedArm,
	RederiveDecision,
	type StoredDecision,
} from "#usecases/deciding";
import { PastSumsOfLog } from "#usecases/learning";
import { withInstance } from "./cli-instance.js";

/** Nobody waits for this process meanwhile. */
const AT_ONCE = 2_000;

/** Why a logged decision came out as it did. 0 where it came out again as logged, 1 where not, 2 where that cannot be told. */
export async function explainDecision(
	id: string,
	options: { readonly json?: boolean },
): Promise<number> {
	if (!isDecisionId(id.toLowerCase()))
		throw new Error(
			`"${id.slice(0, 64)}" is no decision id: it is a UUIDv7, as the answer to a decision request has it in decisionId.`,
		);
	return withInstance(async (database) => {
		const store = new PostgresDefinitionStore(database);
		const reads = new PostgresDecisionReads(database, store);
		const stored = await reads.find(id.toLowerCase());
		if (stored === null || stored.row === null)
			throw new Error(
				`There is no decision ${id} in the database: it was never made, was erased, or no learner has stored it yet.`,
			);
		const past = new PastSumsOfLog(
			new PostgresRevisionReads(database, store, AT_ONCE),
		);
		const explained = await new RederiveDecision(store, past, null).execute(
			stored.row,
		);
		if (options.json) console.log(JSON.stringify(explained));
		else printExplained(stored, explained);
		const { equal } = explained.rederived;
		return equal === null ? 2 : equal ? 0 : 1;
	});
}

function printExplained(
	{ row, learned }: StoredDecision,
	{ explanation, rederived }: ExplainedAgain,
): void {
	const at = new Date(row.decidedAt).toISOString();
	console.log(
		`Decision ${row.id} of ${row.experiment} version ${row.version}, ${at}`,
	);
	if (explanation !== null) {
		console.log(`\n${explanation.sentence}\n\nArms`);
		const width = Math.max(...explanation.arms.map(({ arm }) => arm.length));
		for (const arm of explanation.arms)
			console.log(
				`${arm.arm === row.arm ? "→" : " "} ${arm.arm.padEnd(width)}  ${inWords(arm)}`,
			);
		console.log("\nContext");
		for (const { name, value, source } of explanation.features)
			console.log(
				`  ${name} (${source}): ${value === null ? "none" : JSON.stringify(value)}`,
			);
	}
	const outcome =
		learned?.exposed === true
			? `shown, reward ${short(learned.reward)}`
			: "not shown so far, so nothing was learned from it";
	console.log(`\nWhat came of it: ${outcome}.`);
	printRederived(rederived);
}

function inWords(arm: ExplainedArm): string {
	if (!arm.eligible)
		return `not eligible: ${arm.reason}${arm.rule === undefined || arm.reason.startsWith("rule: ") ? "" : `, in ${arm.rule}`}`;
	const parts = arm.contributions
		.filter(({ value }) => value !== 0)
		.map(({ name, value }) => `${name} ${value > 0 ? "+" : ""}${short(value)}`);
	const of = parts.length === 0 ? "" : ` = ${parts.join(", ")}`;
	return `${short((arm.propensity ?? 0) * 100)} %, expected reward ${short(arm.mean)} ± ${short(arm.width)}${of}`;
}

function printRederived({
	equal,
	differences,
	revision,
	why,
}: ExplainedAgain["rederived"]): void {
	if (equal === null) console.log(`Not derived again: ${why}`);
	else if (equal)
		console.log(
			`Derived again at revision ${revision}: equal to what was served, bit for bit.`,
		);
	else
		for (const difference of differences)
			console.log(`DIFFERENT at revision ${revision}: ${difference}`);
}

const short = (value: number): string => String(Number(value.toPrecision(4)));
