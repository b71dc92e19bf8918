import { InputError } from "../errors.js";
import { parseWorkerUrl, type WorkerUrl } from "./worker-url.js";
import { healthProbe, MODEL_TYPES } from "./workers/health-probe.js";

/** production-stack's flags for backends that are named on the command line, lists separated by commas. */
export interface StaticFlags {
  readonly staticBackends?: string;
  readonly staticModels?: string;
  readonly staticAliases?: string;
  readonly staticModelTypes?: string;
  readonly staticModelLabels?: string;
  readonly staticBackendHealthChecks?: true;
  readonly staticBackendHealthCheckInterval?: number;
  readonly staticBackendHealthCheckTimeoutSeconds?: number;
}

/** Flags that say something of backends, and nothing without them. */
const OF_BACKENDS = [
  ["--static-models", "staticModels"],
  ["--static-aliases", "staticAliases"],
  ["--static-model-types", "staticModelTypes"],
  ["--static-model-labels", "staticModelLabels"],
  ["--static-backend-health-checks", "staticBackendHealthChecks"],
  ["--static-backend-health-check-interval", "staticBackendHealthCheckInterval"],
  ["--static-backend-health-check-timeout-seconds", "staticBackendHealthCheckTimeoutSeconds"],
] as const satisfies readonly (readonly [string, keyof StaticFlags])[];

/** @throws InputError for the first flag that has no effect without `--static-backends`. */
export function refuseWithoutBackends(flags: StaticFlags): void {
  for (const [flag, name] of OF_BACKENDS) {
    if (flags[name] === undefined) continue;
    throw new InputError(`${flag} has no effect without --static-backends, expected both`);
  }
}

/**
 * The backends, each with its model where there are several, and with a request that tells its health where
 * `--static-backend-health-checks` asks for one. Of a single model workers know the name, and their adapters,
 * better than the command line: nothing is then looked up here.
 *
 * @throws InputError for a list of another length than that of the backends, or a type that is none.
 */
export function staticBackends(flags: StaticFlags): WorkerUrl[] {
  const urls = commaList(flags.staticBackends!);
  const models = oneForEach("--static-models", flags.staticModels, urls);
  const probes = probesOf(flags, urls, models);
  const isByModel = new Set(models).size > 1;
  return urls.map((url, index) => {
    const worker = parseWorkerUrl(url, { model: isByModel ? models![index]! : null });
    return { ...worker, probe: probes === null ? null : healthProbe(models![index]!, probes[index]!) };
  });
}

/**
 * Models by the other names that `--static-aliases alias:model,...` gives them.
 *
 * @throws InputError for an alias of no model, or one that is a model.
 */
export function staticAliases({ staticAliases: text, staticModels }: StaticFlags): Map<string, string> {
  const models = commaList(staticModels ?? "");
  const aliases = new Map<string, string>();
  for (const item of commaList(text ?? "")) {
    const [, alias, model] = /^([^:]+):(.+)$/.exec(item) ?? [];
    if (alias === undefined) throw new InputError(`--static-aliases: got ${item}, expected ALIAS:MODEL`);
    if (!models.includes(model!)) {
      throw new InputError(`--static-aliases ${item}: expected one of --static-models behind the alias`);
    }
    if (models.includes(alias) || aliases.has(alias)) {
      throw new InputError(`--static-aliases ${item}: ${alias} is a model, or an alias, already`);
    }
    aliases.set(alias, model!);
  }
  return aliases;
}

/** The type of each backend where its health is asked of its model; null = by the health endpoint. */
function probesOf(
  flags: StaticFlags,
  urls: readonly string[],
  models: readonly string[] | null,
): readonly string[] | null {
  const types = oneForEach("--static-model-types", flags.staticModelTypes, urls);
  const unknown = types?.find((type) => !MODEL_TYPES.includes(type));
  if (unknown !== undefined) {
    throw new InputError(`--static-model-types: got ${unknown}, expected ${MODEL_TYPES.join(", ")}`);
  }
  if (flags.staticBackendHealthChecks === true) {
    if (types !== null && models !== null) return types;
    const missing = models === null ? "--static-models" : "--static-model-types";
    throw new InputError(`--static-backend-health-checks: expected ${missing} with it`);
  }
  for (const name of [
    "staticBackendHealthCheckInterval",
    "staticBackendHealthCheckTimeoutSeconds",
  ] as const) {
    if (flags[name] === undefined) continue;
    const [flag] = OF_BACKENDS.find(([, own]) => own === name)!;
    throw new InputError(`${flag} has no effect without --static-backend-health-checks, expected both`);
  }
  return null;
}

/** @throws InputError when there are not as many as backends */
export function oneForEach(
  flag: string,
  text: string | undefined,
  urls: readonly unknown[],
): readonly string[] | null {
  if (text === undefined) return null;
  const items = commaList(text);
  if (items.length === urls.length) return items;
  throw new InputError(`${flag}: got ${items.length} for ${urls.length} backends, expected one for each`);
}

export function commaList(text: string): string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
