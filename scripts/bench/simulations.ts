import { dirname, join } from "node:path";
import { loadScenario } from "../../src/scenario/load.js";
import type { Override } from "../../src/scenario/overrides.js";
import type { Scenario } from "../../src/scenario/schema.js";
import { loadTrace } from "../../src/sweep/load-trace.js";
import { runScenario } from "../../src/sweep/run-scenario.js";
import { median, rates, taken, type BenchCase, type BenchFigures } from "./measure.js";

const RUNS = 5;

/** 4 prefill + 4 decode workers, cache_aware, threshold 2048: the fleet that public figures are given for. */
export function conversation(
  trace: string | null,
  settings: Readonly<Record<string, unknown>> = {},
): Scenario {
  const workload =
    trace === null ? { "workload.generate": { kind: "multi_turn_chat" }, requests: 12_000 } : { trace };
  const all = { ...workload, policy: "cache_aware", routing_threshold: 2048, ...settings };
  return loadScenario(
    "conversation-4p4d",
    Object.entries(all).map(([setting, value]): Override => ({ setting, value, source: "bench" })),
  );
}

/** Whole runs: when requests are sent, simulation and summary. */
export function simulated(settings: Readonly<Record<string, unknown>>, runs = RUNS): BenchCase {
  return {
    async run(trace) {
      const scenario = conversation(trace, settings);
      const raw = await loadTrace(scenario);
      const count = Math.min(raw.count, scenario.workload.requests ?? Infinity);
      const figures = await rates("requests", count, runs, () =>
        runScenario(scenario, raw, { timeline: false }),
      );
      return { requests: count, ...figures };
    },
  };
}

/** The same fleet under another trace of the shared data; generated chat where that is absent. */
export function simulatedTrace(file: string, settings: Readonly<Record<string, unknown>> = {}): BenchCase {
  return {
    run(conversationTrace): Promise<BenchFigures> {
      const trace = conversationTrace === null ? null : join(dirname(conversationTrace), file);
      return simulated(settings).run(trace);
    },
  };
}

/** Requests that are generated, measured and forgotten: all of it in one figure. */
export function streamed(requests: number): BenchCase {
  return {
    async run() {
      const { runStreamed } = await import("../../src/sweep/run-streamed.js");
      const scenario = conversation(null, {
        "workload.generate": { kind: "multi_turn_chat", rate: 8 },
        requests,
      });
      return { requests, ...(await rates("requests", requests, 0, () => runStreamed(scenario))) };
    },
  };
}

/** The fast engine against the step-by-step one, in turns. */
export const fastAgainstPlain: BenchCase = {
  async run(trace) {
    const scenario = conversation(trace, { "engine.block_size": 512 });
    const raw = await loadTrace(scenario);
    const ratios: number[] = [];
    for (let run = 0; run <= 3; run++) {
      const plain = await taken(() => runScenario(scenario, raw, { time: "plain" }));
      const fast = await taken(() => runScenario(scenario, raw, { time: "fast" }));
      if (run > 0) ratios.push(plain.cpuS / fast.cpuS);
    }
    return { plain_time_per_fast_time: median(ratios) };
  },
};
