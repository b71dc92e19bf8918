import type { Distribution, Summary } from "../../src/measure/summary.js";
import type { SettingValue, SweepAxis, SweepPoint, SweepResult } from "../../src/sweep/sweep-result.js";
import { randomStream } from "../../src/values/random.js";

/** What a test wants to differ between runs; the rest of the summary follows. */
export interface SummaryParts {
  goodput?: number;
  attainment?: number;
  ttftP50?: number;
  itlP50?: number;
  hitRate?: number | null;
  score?: number;
  disaggregated?: number;
  prefillBusy?: readonly number[];
  decodeBusy?: readonly number[];
}

function spread(p50: number, tail: number): Distribution {
  return {
    mean: p50 * 1.15,
    p50,
    p75: p50 * (1 + 0.2 * tail),
    p90: p50 * (1 + 0.5 * tail),
    p95: p50 * (1 + 0.8 * tail),
    p99: p50 * (1 + 1.6 * tail),
    max: p50 * (1 + 3 * tail),
  };
}

function balanceOf(busy: readonly number[]) {
  const mean = busy.reduce((sum, value) => sum + value, 0) / busy.length;
  const variance = busy.reduce((sum, value) => sum + (value - mean) ** 2, 0) / busy.length;
  const one = {
    max_over_mean: Math.max(...busy) / mean,
    coefficient_of_variation: Math.sqrt(variance) / mean,
  };
  return { requests: one, busy: one };
}

/** A whole summary around the given figures. */
export function summaryOf(parts: SummaryParts = {}): Summary {
  const { goodput = 3, attainment = 0.9, ttftP50 = 400, itlP50 = 20, hitRate = 0.37, score = 60 } = parts;
  const { disaggregated = 800, prefillBusy = [0.7, 0.7], decodeBusy = [0.6, 0.6] } = parts;
  const legs = [
    ["prefill", prefillBusy],
    ["decode", decodeBusy],
  ] as const;
  return {
    schema: "pdbench/summary@1",
    scenario: "conversation-4p4d",
    settings: { seed: 1 },
    requests: { total: 1000, completed: 1000, failed: 0, cancelled: 0 },
    duration_s: 300,
    throughput: { requests_per_s: 3.33, input_tokens_per_s: 23_000, output_tokens_per_s: 1140 },
    ttft_ms: spread(ttftP50, 2),
    itl_ms: spread(itlP50, 1),
    tpot_ms: spread(itlP50 * 1.05, 0.6),
    e2e_ms: spread(ttftP50 + 340 * itlP50, 1),
    queue_ms: spread(ttftP50 / 4, 3),
    kv_transfer_ms: spread(18, 1),
    cache: {
      hit_rate: hitRate,
      hit_tokens: Math.round(6_900_000 * (hitRate ?? 0)),
      prompt_tokens: 6_900_000,
      prefill_hit_rate: hitRate,
      decode_hit_rate: hitRate === null ? null : hitRate / 3,
    },
    routing: {
      disaggregated,
      decode_only: 1000 - disaggregated,
      branches: { at_or_above_threshold: disaggregated, below_threshold: 1000 - disaggregated },
    },
    goodput: {
      slo: { ttft_ms: 2000, tpot_ms: 50, e2e_ms: null },
      attainment,
      requests_per_s: goodput,
    },
    balance: { prefill: balanceOf(prefillBusy), decode: balanceOf(decodeBusy) },
    workers: legs.flatMap(([role, busy]) =>
      busy.map((share, i) => ({
        id: `${role}-${i}`,
        role,
        requests: Math.round((1000 * share) / busy.reduce((sum, value) => sum + value, 0)),
        busy_s: 300 * share,
        utilization: share,
        max_running: 40 + i,
        max_waiting: 12 + i,
        kv_peak: Math.min(1, share * 1.1),
        hit_rate: hitRate,
        preemptions: 0,
      })),
    ),
    score: { value: score, terms: { ttft: 0.7, itl: 0.6, cache_hit: hitRate ?? 0, completed: 1 } },
    notes: [],
  };
}

/** A point whose runs have the given summaries, under seeds 1, 2, ...; a string is a failed run's error. */
export function pointOf(
  index: number,
  settings: Readonly<Record<string, SettingValue>>,
  runs: readonly (Summary | string)[],
): SweepPoint {
  return {
    index,
    settings,
    runs: runs.map((run, i) =>
      typeof run === "string"
        ? { seed: i + 1, summary: null, error: run }
        : { seed: i + 1, summary: run, error: null },
    ),
  };
}

/** A sweep of the given points; the axes are the settings' values in order of appearance. */
export function sweepOf(points: readonly SweepPoint[], part: Partial<SweepResult> = {}): SweepResult {
  const names = Object.keys(points[0]?.settings ?? {});
  const axes: SweepAxis[] = names.map((setting) => ({
    setting,
    values: [...new Set(points.map((point) => point.settings[setting]!))],
  }));
  return {
    schema: "pdbench/sweep@1",
    name: "conversation-4p4d",
    versions: { pdbench: "0.1.0" },
    workload_hash: "9f2c".repeat(16),
    axes,
    seeds: points[0]?.runs.map(({ seed }) => seed) ?? [],
    scenario: { name: "conversation-4p4d", fleet: { prefill: { workers: 4 }, decode: { workers: 4 } } },
    points,
    notes: [],
    ...part,
  };
}

const POLICIES = {
  round_robin: { wait: 1.25, hits: 0.21, skew: 0.02 },
  least_loaded: { wait: 1.08, hits: 0.22, skew: 0.01 },
  cache_aware: { wait: 0.92, hits: 0.36, skew: 0.09 },
} as const;

/**
 * A sweep with the shapes that real ones have: a low threshold queues at the prefill workers, a high one makes
 * long prompts stall the decode workers, so goodput peaks between.
 */
export function realisticSweep(
  thresholds: readonly number[] = [0, 512, 1024, 2048, 4096, 8192, 16384],
  seeds = 3,
): SweepResult {
  const points: SweepPoint[] = [];
  for (const threshold of thresholds) {
    for (const [policy, effect] of Object.entries(POLICIES)) {
      const runs = Array.from({ length: seeds }, (_, i) => runOf(threshold, effect, i + 1));
      points.push(pointOf(points.length, { routing_threshold: threshold, policy }, runs));
    }
  }
  return sweepOf(points);
}

function runOf(threshold: number, policy: (typeof POLICIES)[keyof typeof POLICIES], seed: number): Summary {
  const random = randomStream(seed, "realistic-sweep");
  const ofSeed = 1 + 0.08 * (random.nextFloat() - 0.5);
  const own = randomStream(seed * 1009 + threshold, `point-${policy.hits}`);
  const noise = () => 1 + 0.02 * (own.nextFloat() - 0.5);
  const share = Math.exp(-threshold / 5000);
  const prefillLoad = 0.35 + 0.55 * share - 0.3 * policy.hits;
  const ttftP50 = 320 * policy.wait * ofSeed * noise() * (0.7 + 2.4 * prefillLoad ** 4 + 0.1 * (1 - share));
  const itlP50 = 19 * ofSeed * noise() * (1 + 0.9 * (1 - share) ** 1.5);
  const attainment = Math.min(1, (1.12 - ttftP50 / 2400 - (itlP50 / 80) ** 2) * noise());
  const busy = (level: number, n: number) =>
    Array.from({ length: n }, (_, i) => level * (1 + policy.skew * (i - (n - 1) / 2)));
  return summaryOf({
    goodput: 3.4 * attainment * ofSeed,
    attainment,
    ttftP50,
    itlP50,
    hitRate: policy.hits * noise(),
    score: 100 * (0.4 / (1 + ttftP50 / 1000) + 0.4 / (1 + itlP50 / 33) + 0.2 * policy.hits),
    disaggregated: Math.round(1000 * share),
    prefillBusy: busy(prefillLoad, 4),
    decodeBusy: busy(0.5 + 0.35 * (1 - share), 4),
  });
}
