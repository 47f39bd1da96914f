import { join } from "node:path";
import type { Config } from "#adapters/config";
import {
	JwtConsentTokens,
	readConsentKeys,
	readPrivacy,
} from "#adapters/privacy";
import type { PrivacyPolicy } from "#core/privacy";
import type { ConsentTokens } from "#usecases/deciding";
import type { Log } from "./log.js";
import { packageRoot } from "./package-root.js";
import { pseudonymsOf } from "./pseudonyms.js";

export interface PrivacyParts {
	readonly policy: PrivacyPolicy;
	readonly tokens: ConsentTokens;
}

/** Privacy files and keys of tokens, as the configuration names them. Throws with every problem, before anything is started. */
export async function openPrivacy(
	config: Config,
	log?: Log,
): Promise<PrivacyParts> {
	const { privacyFolder, consentKeys } = config;
	const folder = privacyFolder ?? join(packageRoot(), "privacy");
	const [read, keys] = await Promise.all([
		readPrivacy(folder),
		consentKeys === null
			? ({ ok: true, keys: [] } as const)
			: readConsentKeys(consentKeys),
	]);
	if (!read.ok || !keys.ok)
		throw new Error(
			[
				...(read.ok ? [] : read.problems),
				...(keys.ok ? [] : keys.problems),
			].join("\n"),
		);
	const { policy } = read;
	log?.info(
		`privacy: version ${policy.version} of ${folder}: purposes ${[...policy.purposes.keys()].join(", ")}; jurisdictions ${[...policy.jurisdictions.keys()].join(", ")}; default ${policy.defaultJurisdiction}; ${keys.keys.length} keys of consent tokens`,
	);
	const pseudonyms = pseudonymsOf(config);
	const isUnit =
		pseudonyms === null
			? undefined
			: (sub: string, unit: string) => pseudonyms.all(sub).includes(unit);
	return { policy, tokens: new JwtConsentTokens(keys.keys, isUnit) };
}
