import { InputError } from "../errors.js";
import { DECIDERS, POLICIES } from "../routing/registry.js";
import { pathsOf } from "../scenario/overrides.js";
import type { Resolution } from "../scenario/resolve.js";
import type { TypedSetting } from "./plan.js";

/** Which signal each setting of the `signals` block is of. */
const SIGNAL_OF = {
  "signals.stats_interval_ms": "stats",
  "signals.stats_delay_ms": "stats",
  "signals.kv_event_delay_ms": "kvEvents",
  "signals.kv_event_loss": "kvEvents",
} as const;
const SIGNAL_WORDS = { stats: "engine statistics", kvEvents: "KV events" };
const TRACE_SETTINGS = ["workload.format", "workload.skip_bad_lines", "workload.jitter"];

/**
 * Fails on a flag that changes none of the runs: its setting belongs to a policy or decider that is not in
 * force, or to traces where the workload is generated.
 *
 * @throws InputError naming the flag and what it applies to
 */
export function checkFlagsApply(typed: readonly TypedSetting[], runs: readonly Resolution[]): void {
  for (const { setting, source } of typed) {
    const paths = pathsOf(setting).map((path) => path.join("."));
    if (!runs.every((run) => paths.every((path) => isUnused(path, run)))) continue;
    const because = whyWithoutEffect(paths[0]!, runs[0]);
    if (because !== undefined) throw new InputError(`${source}: changes nothing, because ${because}`);
    const signal = signalOf(paths[0]!);
    if (signal !== null) {
      throw new InputError(
        `${source}: applies to routers that go by ${SIGNAL_WORDS[signal]}, and ${inForce(runs)}`,
      );
    }
    const isOfTraces = paths.some((path) => TRACE_SETTINGS.includes(path));
    const name = paths[0]!.slice(paths[0]!.lastIndexOf(".") + 1);
    throw new InputError(
      isOfTraces
        ? `${source}: applies to traces, and the workload is generated`
        : `${source}: ${appliesTo(name)}, and ${inForce(runs)}`,
    );
  }
}

/** A sentence for each router setting of the file that changes none of the runs. */
export function unusedInFile(runs: readonly Resolution[]): string[] {
  const [first] = runs;
  if (first === undefined) return [];
  const { source, overrides } = first.sources;
  const isOverridden = overrides.some(({ setting, at }) => at === undefined && touchesRouter(setting));
  if (isOverridden) return [];
  const { unused, withoutEffect } = first.router;
  // An axis such as `policy` sets both legs: it has an effect where one of them does.
  const isOfLivelyAxis = (path: string): boolean =>
    overrides.some(({ setting }) => {
      const paths = pathsOf(setting).map((parts) => parts.join("."));
      return paths.includes(path) && runs.some((run) => paths.some((each) => !isUnused(each, run)));
    });
  return [...unused, ...withoutEffect.map(({ path }) => path)]
    .filter((path) => !isOfLivelyAxis(`router.${path}`))
    .filter((path) => runs.every((run) => isUnused(`router.${path}`, run)))
    .map((path) => {
      const place = source.origin(["router", ...path.split(".")]);
      const name = path.slice(path.lastIndexOf(".") + 1);
      const why = whyWithoutEffect(`router.${path}`, first) ?? `it ${appliesTo(name)}`;
      return `${place ?? source.file ?? "scenario"}: router.${path} changes nothing: ${why}`;
    });
}

function isUnused(path: string, { router, scenario }: Resolution): boolean {
  if (TRACE_SETTINGS.includes(path)) return scenario.workload.generate !== null;
  const signal = signalOf(path);
  if (signal !== null) return !router.uses[signal];
  if (!path.startsWith("router.")) return false;
  const inBlock = path.slice("router.".length);
  return router.unused.includes(inBlock) || router.withoutEffect.some((setting) => setting.path === inBlock);
}

/** Why other settings leave this one without effect; undefined where they do not. */
function whyWithoutEffect(path: string, run: Resolution | undefined): string | undefined {
  return run?.router.withoutEffect.find((setting) => `router.${setting.path}` === path)?.because;
}

function signalOf(path: string): keyof typeof SIGNAL_WORDS | null {
  return Object.hasOwn(SIGNAL_OF, path) ? SIGNAL_OF[path as keyof typeof SIGNAL_OF] : null;
}

function touchesRouter(setting: string): boolean {
  return pathsOf(setting).some(([block]) => block === "router");
}

function appliesTo(parameter: string): string {
  const has = ({ parameters }: { readonly parameters: readonly { readonly name: string }[] }): boolean =>
    parameters.some(({ name }) => name === parameter);
  const policies = POLICIES.filter(has).map(({ name }) => `policy ${name}`);
  const deciders = DECIDERS.filter(has).map(({ name }) => `decider ${name}`);
  return `applies to ${[...deciders, ...policies].join(", ")}`;
}

function inForce(runs: readonly Resolution[]): string {
  const names = runs.flatMap(({ router: { config } }) => [
    `decider ${config.decider.name}`,
    `policy ${config.prefillPolicy.name}`,
    `policy ${config.decodePolicy.name}`,
  ]);
  const distinct = [...new Set(names)];
  const deciders = distinct.filter((name) => name.startsWith("decider"));
  const policies = distinct.filter((name) => name.startsWith("policy"));
  return `in force are ${[...deciders, ...policies].join(", ")}`;
}
