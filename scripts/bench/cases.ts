import { quantile } from "simple-statistics";
import { Router } from "../../src/routing/router.js";
import { resolveRouterConfig } from "../../src/routing/router-config.js";
import { POLICIES } from "../../src/routing/registry.js";
import type { RoutingRequest, WorkerSpec } from "../../src/routing/types.js";
import { loadScenario } from "../../src/scenario/load.js";
import type { Override } from "../../src/scenario/overrides.js";
import type { Scenario } from "../../src/scenario/schema.js";
import { runScenario } from "../../src/sweep/run-scenario.js";
import { loadTrace } from "../../src/sweep/load-trace.js";
import { expandSpan } from "../../src/values/block-span.js";

/** Figures of a case by name; the unit is in the name. */
export type BenchFigures = Readonly<Record<string, number>>;

interface BenchCase {
  /** @param trace path of the Mooncake conversation trace, or null where it is absent. */
  run(trace: string | null): Promise<BenchFigures>;
}

const RUNS = 5;

/** 4 prefill + 4 decode workers, cache_aware, threshold 2048: the fleet that public figures are given for. */
function conversationScenario(trace: string | null, blockSize: number): Scenario {
  const workload =
    trace === null ? { "workload.generate": { kind: "multi_turn_chat" }, requests: 12_000 } : { trace };
  return conversation({
    ...workload,
    policy: "cache_aware",
    routing_threshold: 2048,
    "engine.block_size": blockSize,
  });
}

function conversation(settings: Readonly<Record<string, unknown>>): Scenario {
  const overrides = Object.entries(settings).map(([setting, value]): Override => ({
    setting,
    value,
    source: "bench",
  }));
  return loadScenario("conversation-4p4d", overrides);
}

function simulated(blockSize: number): BenchCase {
  return {
    async run(trace) {
      const scenario = conversationScenario(trace, blockSize);
      const raw = await loadTrace(scenario);
      const seconds: number[] = [];
      const withSummary: number[] = [];
      for (let run = 0; run <= RUNS; run++) {
        const startedMs = performance.now();
        const { summary } = runScenario(scenario, raw);
        if (run === 0) continue;
        withSummary.push((performance.now() - startedMs) / 1000);
        seconds.push(summary.simulator!.wall_s);
      }
      return {
        requests: raw.count,
        requests_per_s: raw.count / quantile(seconds, 0.5),
        requests_per_s_with_summary: raw.count / quantile(withSummary, 0.5),
      };
    },
  };
}

/** The fast engine against the step-by-step one, in turns. */
const fastAgainstPlain: BenchCase = {
  async run(trace) {
    const scenario = conversationScenario(trace, 512);
    const raw = await loadTrace(scenario);
    const ratios: number[] = [];
    for (let run = 0; run <= 3; run++) {
      const plain = runScenario(scenario, raw, { time: "plain" }).summary.simulator!.wall_s;
      const fast = runScenario(scenario, raw, { time: "fast" }).summary.simulator!.wall_s;
      if (run > 0) ratios.push(plain / fast);
    }
    return { speedup: quantile(ratios, 0.5) };
  },
};

/** A million generated chat turns. */
const million: BenchCase = {
  async run() {
    const scenario = conversation({
      "workload.generate": { kind: "multi_turn_chat", rate: 8 },
      requests: 1_000_000,
      routing_threshold: 2048,
    });
    const raw = await loadTrace(scenario);
    const { summary } = runScenario(scenario, raw);
    return { requests: raw.count, wall_s: summary.simulator!.wall_s, completed: summary.requests.completed };
  },
};

const DECISIONS = 20_000;

/** Decisions a second of one policy on both legs, over the prefixes of the trace. */
function decisions(workers: number): BenchCase {
  return {
    async run(trace) {
      const raw = await loadTrace(conversationScenario(trace, 512));
      const requests: RoutingRequest[] = [];
      for (let row = 0; row < raw.count; row++) {
        const span = { table: raw.blocks, start: raw.runOffset[row]!, end: raw.runOffset[row + 1]! };
        const limit = Math.ceil(raw.inputTokens[row]! / raw.blocks.blockTokens);
        const symbols = new Int32Array(limit);
        const length = expandSpan(span, symbols, limit);
        const promptTokens = raw.inputTokens[row]!;
        requests.push({
          id: row,
          promptTokens,
          prefix: { symbols, length, unitsPerSymbol: raw.blocks.blockTokens, totalUnits: promptTokens },
          sessionKey: String(row % 1000),
          model: "",
          priority: 0,
        });
      }
      const figures: Record<string, number> = {};
      for (const { name } of POLICIES)
        figures[`${name}_decisions_per_s`] = decisionRate(name, workers, requests);
      return figures;
    },
  };
}

function decisionRate(policy: string, workers: number, requests: readonly RoutingRequest[]): number {
  const specs = Array.from({ length: workers }, (_, i): WorkerSpec => ({
    id: `w${i}`,
    leg: i % 2 === 0 ? "prefill" : "decode",
  }));
  const router = new Router(resolveRouterConfig({ policy, decider: { kind: "always" } }).config, specs, 1);
  for (let worker = 0; worker < workers; worker++) {
    router.updateStats(worker, { running: worker % 5, waiting: 0, kvUsage: 0.5, atMs: 0 });
  }
  const open: number[] = [];
  const startedMs = performance.now();
  for (let i = 0; i < DECISIONS; i++) {
    const request = { ...requests[i % requests.length]!, id: i };
    router.route(request, i);
    open.push(i);
    if (i >= 64) router.onRequestEnd(open[i - 64]!, "completed", i);
  }
  return (DECISIONS / (performance.now() - startedMs)) * 1000;
}

export const BENCH_CASES: Readonly<Record<string, BenchCase>> = {
  "conversation, 512-token blocks": simulated(512),
  "conversation, 16-token blocks": simulated(16),
  "fast against plain engine": fastAgainstPlain,
  "a million generated requests": million,
  "routing, 8 workers": decisions(8),
  "routing, 64 workers": decisions(64),
  "routing, 1024 workers": decisions(1024),
};
