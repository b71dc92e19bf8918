import { knownCard } from "../engine/hardware.js";
import { kvBlocks } from "../engine/profile.js";
import type { EngineProfile } from "../engine/profile.js";
import { batchLimitsOf, blockSizeOf } from "./engine-settings.js";
import type { MeasuredRequests, MeasuredRun } from "./measured-run.js";

/** How many KV blocks the engine had, and how that is known. */
export interface KvBlockCount {
  readonly blocks: number;
  /** One sentence. */
  readonly source: string;
}

/** Samples of the timeline below and above this usage say little: few blocks, or preemptions. */
const USABLE_USAGE = { low: 0.2, high: 0.95 };
const MIN_SAMPLES = 5;

/** What may be free at the moment at which requests hold most. */
const PEAK_MARGIN = 1.1;

/**
 * The KV blocks of a measured run: as given, as recorded, inferred from the usage over time, what vLLM's
 * start-up leaves of the card's memory, or at least what its requests must have held; the first that is known.
 */
export function kvBlockCount(run: MeasuredRun, profile: EngineProfile, given: number | null): KvBlockCount {
  if (given !== null) return { blocks: given, source: `${given} KV blocks, as given.` };
  const { settings } = run;
  if (settings.numGpuBlocks !== null) {
    return {
      blocks: settings.numGpuBlocks,
      source: `${settings.numGpuBlocks} KV blocks, as the run recorded.`,
    };
  }
  return blocksFromTimeline(run) ?? blocksFromMemory(run, profile) ?? blocksFromPeak(run);
}

/**
 * The median over the timeline of (blocks that the running requests must hold) / usage; null where usage was
 * not recorded. Blocks shared by several requests are counted for each, which makes it slightly too high.
 */
export function blocksFromTimeline(run: MeasuredRun): KvBlockCount | null {
  const blockSize = blockSizeOf(run.settings);
  // Samples count from the start of the run, which is when the first request came.
  const offsetMs = Number.isNaN(run.requests.queuedMs[0]!) ? 0 : run.requests.queuedMs[0]!;
  const estimates: number[] = [];
  for (const { atMs, kvUsage, running } of run.timeline) {
    if (!(kvUsage >= USABLE_USAGE.low && kvUsage <= USABLE_USAGE.high)) continue;
    const held = blocksHeldAt(run.requests, atMs + offsetMs, running, blockSize);
    if (held > 0) estimates.push(held / kvUsage);
  }
  if (estimates.length < MIN_SAMPLES) return null;
  estimates.sort((a, b) => a - b);
  const blocks = Math.round(estimates[estimates.length >> 1]!);
  return {
    blocks,
    source: `${blocks} KV blocks, inferred from ${estimates.length} samples of KV usage in the run's timeline.`,
  };
}

/**
 * Blocks of the `running` requests that were scheduled first: of those that have begun and not ended, the
 * others have been preempted, and vLLM preempts the last to come.
 */
function blocksHeldAt(requests: MeasuredRequests, atMs: number, running: number, blockSize: number): number {
  const begun: { readonly fromMs: number; readonly blocks: number }[] = [];
  for (let i = 0; i < requests.count; i++) {
    const firstMs = requests.firstTokenMs[i]!;
    const lastMs = requests.lastTokenMs[i]!;
    const fromMs = Number.isNaN(requests.scheduledMs[i]!) ? firstMs : requests.scheduledMs[i]!;
    if (!(fromMs <= atMs && atMs < lastMs)) continue;
    const share = Math.max(0, (atMs - firstMs) / Math.max(lastMs - firstMs, 1));
    const tokens = requests.inputTokens[i]! + share * requests.outputTokens[i]!;
    begun.push({ fromMs, blocks: Math.ceil(tokens / blockSize) });
  }
  return begun
    .sort((a, b) => a.fromMs - b.fromMs)
    .slice(0, running)
    .reduce((sum, { blocks }) => sum + blocks, 0);
}

/** Somewhat more than the running requests ever held together: right for a run that filled its cache, or never did. */
function blocksFromPeak({ requests, settings }: MeasuredRun): KvBlockCount {
  const blockSize = blockSizeOf(settings);
  let peak = 0;
  for (const atMs of requests.firstTokenMs) {
    peak = Math.max(peak, blocksHeldAt(requests, atMs, requests.count, blockSize));
  }
  const blocks = Math.ceil(peak * PEAK_MARGIN) + 1;
  return {
    blocks,
    source: `${blocks} KV blocks, ${PEAK_MARGIN} times what its requests held at most: neither recorded nor derivable.`,
  };
}

/** What vLLM's start-up leaves for KV on the run's card; null for an unknown card. */
function blocksFromMemory(run: MeasuredRun, profile: EngineProfile): KvBlockCount | null {
  const { settings } = run;
  const card = settings.deviceName === null ? null : knownCard(settings.deviceName);
  const memoryBytes = settings.deviceMemoryBytes ?? card?.card.memoryBytes ?? profile.hardware.memory_bytes;
  if (memoryBytes === null && profile.kv_capacity_tokens === null) return null;
  const onCard: EngineProfile = {
    ...profile,
    hardware: { ...profile.hardware, memory_bytes: memoryBytes },
    gpu_memory_utilization: settings.gpuMemoryUtilization ?? profile.gpu_memory_utilization,
  };
  const blocks = kvBlocks(onCard, blockSizeOf(settings), batchLimitsOf(settings));
  return {
    blocks,
    source:
      `${blocks} KV blocks, ` +
      (profile.kv_capacity_tokens === null
        ? "derived from the card's memory as vLLM does (utilization x memory - weights - activations)."
        : "from the profile's kv_capacity_tokens."),
  };
}
