import { always } from "./deciders/always.js";
import { earlyRejection } from "./deciders/early-rejection.js";
import { effectiveLength } from "./deciders/effective-length.js";
import { lengthBucket } from "./deciders/length-bucket.js";
import { lengthOrLoad } from "./deciders/length-or-load.js";
import { never } from "./deciders/never.js";
import { predictedTtft } from "./deciders/predicted-ttft.js";
import { prefillBusy } from "./deciders/prefill-busy.js";
import { threshold } from "./deciders/threshold.js";
import { uncachedTokens } from "./deciders/uncached-tokens.js";
import { aibrixPd } from "./policies/aibrix-pd.js";
import { aibrixPrefixCache } from "./policies/aibrix-prefix-cache.js";
import { boundedLoadHash } from "./policies/bounded-load-hash.js";
import { bucket } from "./policies/bucket.js";
import { cacheAware } from "./policies/cache-aware.js";
import { consistentHash } from "./policies/consistent-hash.js";
import { dynamoKv } from "./policies/dynamo-kv.js";
import { dynamoTwoTier } from "./policies/dynamo-two-tier.js";
import { inFlight } from "./policies/in-flight.js";
import { leastEstimatedTtft } from "./policies/least-estimated-ttft.js";
import { leastLoaded } from "./policies/least-loaded.js";
import { mooncakeConductor } from "./policies/mooncake-conductor.js";
import { powerOfTwo } from "./policies/power-of-two.js";
import { precisePrefix } from "./policies/precise-prefix.js";
import { prefixAware } from "./policies/prefix-aware.js";
import { prefixHash } from "./policies/prefix-hash.js";
import { qps } from "./policies/qps.js";
import { random } from "./policies/random.js";
import { rayPrefixAffinity } from "./policies/ray-prefix-affinity.js";
import { rendezvousHash } from "./policies/rendezvous-hash.js";
import { roundRobin } from "./policies/round-robin.js";
import { stickyLeastLoaded } from "./policies/sticky-least-loaded.js";
import { weightedScorers } from "./policies/weighted-scorers.js";
import { aibrix } from "./presets/aibrix.js";
import { dynamo } from "./presets/dynamo.js";
import { llmD } from "./presets/llm-d.js";
import { mooncake } from "./presets/mooncake.js";
import type { Preset } from "./presets/preset.js";
import { productionStack, productionStackConditional } from "./presets/production-stack.js";
import { rayServe } from "./presets/ray-serve.js";
import { sglangGateway } from "./presets/sglang-gateway.js";
import { vllmRouter, vllmRouterRegular } from "./presets/vllm-router.js";
import type { DeciderSpec, PolicySpec } from "./specs.js";

/** Every policy, in the order it is listed to users. */
export const POLICIES: readonly PolicySpec[] = [
  random,
  roundRobin,
  inFlight,
  leastLoaded,
  qps,
  powerOfTwo,
  cacheAware,
  consistentHash,
  rendezvousHash,
  boundedLoadHash,
  prefixHash,
  stickyLeastLoaded,
  prefixAware,
  precisePrefix,
  weightedScorers,
  leastEstimatedTtft,
  bucket,
  dynamoKv,
  dynamoTwoTier,
  aibrixPrefixCache,
  aibrixPd,
  mooncakeConductor,
  rayPrefixAffinity,
];

/** Every decider, in the order it is listed to users. */
export const DECIDERS: readonly DeciderSpec[] = [
  always,
  never,
  threshold,
  lengthBucket,
  uncachedTokens,
  effectiveLength,
  prefillBusy,
  lengthOrLoad,
  predictedTtft,
  earlyRejection,
];

/** Every preset, in the order it is listed to users. */
export const PRESETS: readonly Preset[] = [
  vllmRouter,
  vllmRouterRegular,
  sglangGateway,
  productionStack,
  productionStackConditional,
  llmD,
  dynamo,
  aibrix,
  rayServe,
  mooncake,
];

/** The policy of a checked name. */
export function policyNamed(name: string): PolicySpec {
  return POLICIES.find((policy) => policy.name === name)!;
}

/** The decider of a checked name. */
export function deciderNamed(name: string): DeciderSpec {
  return DECIDERS.find((decider) => decider.name === name)!;
}
