import { InputError } from "../../errors.js";
import type { Summary } from "../../measure/summary.js";
import type { ParameterValue } from "../../routing/parameters.js";
import { deciderNamed, policyNamed } from "../../routing/registry.js";
import { resolveRouterConfig, type Choice, type RouterConfig } from "../../routing/router-config.js";
import { RouterSettingError } from "../../routing/setting-error.js";
import type { Leg } from "../../routing/types.js";
import { statsIntervalMs } from "../../scenario/stats-interval.js";

/** Settings of a router by their dotted paths: `decider.kind`, `prefill_policy`, `prefill.cache_threshold`, ... */
export type RouterSettings = ReadonlyMap<string, ParameterValue>;

/** What a product is to be set up for: the router of one run, and the fleet it ran on. */
export interface Wanted {
  readonly config: RouterConfig;
  readonly settings: RouterSettings;
  readonly workers: Readonly<Record<Leg, number>>;
  /** Time between two polls of the engines' statistics, ms; null = nothing that was chosen looks at them. */
  readonly statsIntervalMs: number | null;
}

/** The parts of a resolved scenario that matter here; a live run has its router only. */
interface RunSettings {
  readonly router?: Readonly<Record<string, unknown>>;
  readonly fleet?: { readonly [leg in Leg]?: { readonly workers?: number } };
  readonly signals?: { readonly stats_interval_ms?: number | null };
}

/**
 * The router and fleet of a run, from the settings in its summary.
 * @throws InputError when the run does not say how it was routed
 */
export function wantedOf({ settings, workers }: Summary, run: string): Wanted {
  const { router, fleet, signals } = (settings ?? {}) as RunSettings;
  if (router === undefined) {
    throw new InputError(
      `${run}: its summary has no settings.router, expected a run of simulate or sweep; a replayed run has its router elsewhere`,
    );
  }
  try {
    const resolved = resolveRouterConfig(router);
    const ofLeg = (leg: Leg) => fleet?.[leg]?.workers ?? workers.filter(({ role }) => role === leg).length;
    const intervalMs = statsIntervalMs(signals?.stats_interval_ms ?? null, resolved);
    return {
      config: resolved.config,
      settings: settingsOf(resolved.settings),
      workers: { prefill: ofLeg("prefill"), decode: ofLeg("decode") },
      statsIntervalMs: looksAtStats(resolved.config) ? intervalMs : null,
    };
  } catch (error) {
    if (!(error instanceof RouterSettingError)) throw error;
    throw new InputError(
      `${run}: settings.router.${error.path.join(".")}: ${error.reason}; expected settings of this version of pdbench`,
    );
  }
}

/** The settings that a `router` block stands for. */
export function settingsOfBlock(block: Readonly<Record<string, unknown>>): RouterSettings {
  return settingsOf(resolveRouterConfig(block).settings);
}

/** Whether every request is disaggregated; a threshold of 0 is another way to say so. */
export function alwaysDisaggregates({ decider }: RouterConfig): boolean {
  const { name, params } = decider;
  return name === "always" || (name === "threshold" && params["routing_threshold"] === 0);
}

/** The policy of a leg, with its parameters. */
export function choiceOf(config: RouterConfig, leg: Leg): Choice {
  return leg === "prefill" ? config.prefillPolicy : config.decodePolicy;
}

/** Policies that place a leg without a look at any load. */
const LOOKS_AT_NO_LOAD = [
  "random",
  "round_robin",
  "consistent_hash",
  "rendezvous_hash",
  "qps",
  "prefix_aware",
];

/** Whether the router's own load counters decide anything. */
export function looksAtLoad({ decider, prefillPolicy, decodePolicy }: RouterConfig): boolean {
  const policies = decider.name === "never" ? [decodePolicy] : [prefillPolicy, decodePolicy];
  if (!["always", "never", "threshold", "length_bucket", "uncached_tokens"].includes(decider.name))
    return true;
  return policies.some(({ name }) => !LOOKS_AT_NO_LOAD.includes(name));
}

function looksAtStats({ decider, prefillPolicy, decodePolicy }: RouterConfig): boolean {
  const policies = decider.name === "never" ? [decodePolicy] : [prefillPolicy, decodePolicy];
  return (
    deciderNamed(decider.name).usesStats(decider.params) ||
    policies.some(({ name, params }) => policyNamed(name).usesStats(params))
  );
}

function settingsOf(
  inForce: readonly { readonly path: string; readonly value: ParameterValue }[],
): RouterSettings {
  return new Map(inForce.filter(({ path }) => path !== "preset").map(({ path, value }) => [path, value]));
}
