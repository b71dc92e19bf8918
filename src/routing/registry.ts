import { always } from "./deciders/always.js";
import { never } from "./deciders/never.js";
import { threshold } from "./deciders/threshold.js";
import { cacheAware } from "./policies/cache-aware.js";
import { consistentHash } from "./policies/consistent-hash.js";
import { inFlight } from "./policies/in-flight.js";
import { leastLoaded } from "./policies/least-loaded.js";
import { powerOfTwo } from "./policies/power-of-two.js";
import { random } from "./policies/random.js";
import { roundRobin } from "./policies/round-robin.js";
import type { Preset } from "./presets/preset.js";
import type { DeciderSpec, PolicySpec } from "./specs.js";

/** Every policy, in the order it is listed to users. */
export const POLICIES: readonly PolicySpec[] = [
  random,
  roundRobin,
  inFlight,
  leastLoaded,
  powerOfTwo,
  cacheAware,
  consistentHash,
];

/** Every decider, in the order it is listed to users. */
export const DECIDERS: readonly DeciderSpec[] = [always, never, threshold];

/** Every preset, in the order it is listed to users. */
export const PRESETS: readonly Preset[] = [];

/** The policy of a checked name. */
export function policyNamed(name: string): PolicySpec {
  return POLICIES.find((policy) => policy.name === name)!;
}

/** The decider of a checked name. */
export function deciderNamed(name: string): DeciderSpec {
  return DECIDERS.find((decider) => decider.name === name)!;
}
