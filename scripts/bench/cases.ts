import type { BenchCase } from "./measure.js";

type Load = () => Promise<BenchCase>;

/** Cases load what they measure themselves: one that another revision lacks does not take the others with it. */
const simulated =
  (settings: Readonly<Record<string, unknown>>, runs?: number): Load =>
  async () =>
    (await import("./simulations.js")).simulated({ "engine.block_size": 512, ...settings }, runs);

const decisions =
  (workers: number): Load =>
  async () =>
    (await import("./routing.js")).decisions(workers);

/** A fleet of so many workers under load that keeps it as busy as 4P4D is under the trace's own. */
const fleet = (workers: number): Readonly<Record<string, unknown>> => ({
  prefill_workers: workers / 2,
  decode_workers: workers / 2,
  speedup: workers / 8,
});

export const BENCH_CASES: Readonly<Record<string, Load>> = {
  "conversation, 512-token blocks": simulated({}),
  "conversation, 16-token blocks": simulated({ "engine.block_size": 16 }),
  "conversation, 64 workers": simulated(fleet(64)),
  "conversation, 1024 workers": simulated(fleet(1024), 2),
  "conversation, 64 workers, least_loaded": simulated({ ...fleet(64), policy: "least_loaded" }),
  "conversation, round_robin": simulated({ policy: "round_robin" }),
  "conversation, least_loaded": simulated({ policy: "least_loaded" }),
  "conversation, precise_prefix": simulated({ policy: "precise_prefix" }),
  "conversation, dynamo_kv": simulated({ policy: "dynamo_kv" }),
  "conversation, weighted_scorers": simulated({ policy: "weighted_scorers" }),
  "azure, 16-token blocks": async () =>
    (await import("./simulations.js")).simulatedTrace("azure-2023-conv.csv"),
  "chat, 100,000 requests streamed": async () => (await import("./simulations.js")).streamed(100_000),
  "fast against plain engine": async () => (await import("./simulations.js")).fastAgainstPlain,
  "routing, 8 workers": decisions(8),
  "routing, 64 workers": decisions(64),
  "routing, 1024 workers": decisions(1024),
  "radix tree, 64 workers": async () => (await import("./radix-tree.js")).radixTree,
  "sweep, 1 and 2 threads": async () => (await import("./sweeps.js")).sweepThreads,
  "page of 100,000 requests": async () => (await import("./pages.js")).runPageOpens,
  "page of 500 points x 3 seeds": async () => (await import("./pages.js")).sweepPageOpens,
  "proxy, 16 connections": async () => (await import("./proxy.js")).proxy,
  "report of 12 points": async () => (await import("./sweeps.js")).reports,
};
