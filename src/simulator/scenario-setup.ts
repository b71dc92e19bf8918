import type { EngineConfig } from "../engine/types.js";
import { kvBlocks, kvBytesPerToken, stepTimeModel, type EngineProfile } from "../engine/profile.js";
import { VLLM_VERSIONS, type VllmVersion } from "../engine/vllm-versions.js";
import { resolveRouterConfig } from "../routing/router-config.js";
import { engineSettings } from "../scenario/resolve.js";
import type { EngineSettings, Scenario } from "../scenario/schema.js";
import { statsIntervalMs } from "../scenario/stats-interval.js";
import type { Workload } from "../workload/workload.js";
import type { FleetSetup, SimulationSetup, WorkerSetup } from "./setup.js";

/** vLLM takes the limit from the model's own configuration; the models of the built-in profiles have this one. */
const DEFAULT_MAX_MODEL_LEN = 131_072;

/**
 * How long a prefill engine waits for the reader of its KV, ms: NIXL's VLLM_NIXL_ABORT_REQUEST_TIMEOUT, or the
 * lease that readers renew in newer releases.
 */
const HELD_KV_TIMEOUT_MS: Readonly<Record<VllmVersion, number>> = {
  "0.11": 480_000,
  "0.19": 480_000,
  "main-2026-08": 30_000,
};

/** Profiles of the two legs. */
export interface LegProfiles {
  readonly prefill: EngineProfile;
  readonly decode: EngineProfile;
}

/** The set-up that a scenario describes, for one workload. */
export function scenarioSetup(
  scenario: Scenario,
  profiles: LegProfiles,
  workload: Workload,
  time: "fast" | "plain" = "fast",
): SimulationSetup {
  const unlimited = (blockSize: number): number => blocksForAll(workload, blockSize);
  return { workload, ...fleetSetup(scenario, profiles, unlimited, time) };
}

/**
 * The same without the requests.
 *
 * @param unlimited blocks that are enough for all requests, by block size; asked for where a scenario says so
 */
export function fleetSetup(
  scenario: Scenario,
  profiles: LegProfiles,
  unlimited: (blockSize: number) => number,
  time: "fast" | "plain",
): FleetSetup {
  const { network, signals } = scenario;
  const router = resolveRouterConfig(scenario.router);
  return {
    prefill: legWorkers(scenario, "prefill", profiles.prefill, unlimited),
    decode: legWorkers(scenario, "decode", profiles.decode, unlimited),
    network: {
      bandwidthGbps: network.kv_transfer.bandwidth_gbps,
      latencyMs: network.kv_transfer.latency_ms,
      contention: network.kv_transfer.contention,
      hopMs: network.hop_ms,
    },
    router: router.config,
    signals: {
      statsIntervalMs: statsIntervalMs(signals.stats_interval_ms, router),
      statsDelayMs: signals.stats_delay_ms,
      kvEventDelayMs: signals.kv_event_delay_ms,
      kvEventLoss: signals.kv_event_loss,
    },
    seed: scenario.seed,
    time,
    timelineIntervalMs: scenario.timeline_interval_ms,
  };
}

function legWorkers(
  scenario: Scenario,
  leg: "prefill" | "decode",
  profile: EngineProfile,
  unlimited: (blockSize: number) => number,
): WorkerSetup[] {
  const settings = engineSettings(scenario, leg);
  const engine = engineConfig(settings, profile, unlimited);
  const stepTime = stepTimeModel(profile);
  return Array.from({ length: scenario.fleet[leg].workers }, (_, i) => ({
    id: `${leg}-${i}`,
    engine,
    stepTime,
    kvBytesPerToken: kvBytesPerToken(profile),
    requestOverheadMs: profile.overheads.http_ms + profile.overheads.schedule_ms,
    responseOverheadMs: profile.overheads.first_token_ms,
    heldKvTimeoutMs: HELD_KV_TIMEOUT_MS[settings.vllm_version],
  }));
}

function engineConfig(
  settings: EngineSettings,
  profile: EngineProfile,
  unlimited: (blockSize: number) => number,
): EngineConfig {
  const maxNumSeqs = settings.max_num_seqs;
  const maxNumBatchedTokens = settings.max_num_batched_tokens;
  const blocks =
    settings.num_gpu_blocks ?? kvBlocks(profile, settings.block_size, { maxNumSeqs, maxNumBatchedTokens });
  // Written out: objects made by a spread have a hidden class of their own each, and code that was optimized for the
  // configuration of one run would be thrown away by the next.
  return {
    maxNumSeqs,
    maxNumBatchedTokens,
    blockSize: settings.block_size,
    numGpuBlocks: blocks === "unlimited" ? unlimited(settings.block_size) : blocks,
    longPrefillTokenThreshold: settings.long_prefill_token_threshold,
    maxModelLen: settings.max_model_len ?? DEFAULT_MAX_MODEL_LEN,
    enablePrefixCaching: settings.enable_prefix_caching,
    enableChunkedPrefill: settings.enable_chunked_prefill,
    schedulingPolicy: settings.scheduling_policy,
    asyncScheduling: settings.async_scheduling ?? false,
    rules: VLLM_VERSIONS[settings.vllm_version],
  };
}

/** Enough blocks for every request of the workload at once, nothing shared and nothing evicted. */
function blocksForAll(workload: Workload, blockSize: number): number {
  let blocks = 1;
  for (let row = 0; row < workload.count; row++) {
    blocks += Math.ceil((workload.inputTokens[row]! + workload.outputTokens[row]!) / blockSize) + 1;
  }
  return blocks;
}
