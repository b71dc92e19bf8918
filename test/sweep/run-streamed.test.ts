import { describe, expect, it } from "vitest";
import type { Distribution, Summary } from "../../src/measure/summary.js";
import type { Override } from "../../src/scenario/overrides.js";
import { loadScenario } from "../../src/scenario/load.js";
import type { Scenario } from "../../src/scenario/schema.js";
import { loadTrace } from "../../src/sweep/load-trace.js";
import { runScenario } from "../../src/sweep/run-scenario.js";
import { runStreamed } from "../../src/sweep/run-streamed.js";

const LATENCIES = ["ttft_ms", "itl_ms", "tpot_ms", "e2e_ms", "queue_ms", "kv_transfer_ms"] as const;
const NANOSECOND_MS = 1e-6;

function scenarioOf(settings: Readonly<Record<string, unknown>>): Scenario {
  const overrides = Object.entries({
    requests: 250,
    routing_threshold: 600,
    policy: "cache_aware",
    ...settings,
  });
  return loadScenario(
    "conversation-4p4d",
    overrides.map(([setting, value]): Override => ({ setting, value, source: "test" })),
  );
}

/** What must not differ at all: everything but percentiles, what is made of them, and how long it took. */
function exactPart(summary: Summary): unknown {
  const rest = { ...summary, simulator: null, percentiles: null, score: null, notes: null };
  const ends = LATENCIES.map((name) => [name, { mean: summary[name].mean, max: summary[name].max }]);
  const { events, steps } = summary.simulator!;
  return { ...rest, ...(Object.fromEntries(ends) as object), events, steps };
}

function expectWithin(sketched: Distribution, exact: Distribution, share: number): void {
  for (const name of ["p50", "p75", "p90", "p95", "p99"] as const) {
    if (exact[name] === null) expect(sketched[name]).toBeNull();
    else {
      const error = Math.abs(sketched[name]! - exact[name]);
      expect(error).toBeLessThanOrEqual(Math.abs(exact[name]) * share + NANOSECOND_MS);
    }
  }
}

describe("a run that keeps no requests gives the summary of one that does", () => {
  const cases: Record<string, Readonly<Record<string, unknown>>> = {
    "of linked sessions": { "workload.generate": { kind: "multi_turn_chat", rate: 12, think_mean_s: 1 } },
    "of sessions whose turns have their own times": {
      "workload.generate": { kind: "long_document", rate: 6 },
      "workload.sessions": "independent",
      requests: 60,
    },
    "of requests that arrive together": { "workload.generate": { kind: "best_of_n", rate: 20 } },
    "of mixed traffic, faster": {
      "workload.generate": { kind: "mixed", rate: 8, "long_document.document_tokens_mean": 3000 },
      speedup: 1.5,
      requests: 150,
    },
    "of requests without known content": { "workload.generate": { kind: "lengths", rate: 20 } },
    "with preemptions and a late choice of the decode worker": {
      "workload.generate": { kind: "multi_turn_chat", rate: 60, think_mean_s: 1 },
      "engine.num_gpu_blocks": 2200,
      "router.order": "late_decode",
      decode_workers: 1,
      prefill_workers: 1,
    },
  };
  it.each(Object.entries(cases))("%s", async (_, settings) => {
    const scenario = scenarioOf(settings);
    const kept = runScenario(scenario, await loadTrace(scenario)).summary;
    const streamed = runStreamed(scenario);
    expect(exactPart(streamed)).toEqual(exactPart(kept));
    expect(streamed.notes.slice(0, -1)).toEqual(kept.notes);
    for (const name of LATENCIES) {
      expectWithin(streamed[name], kept[name], streamed.percentiles!.relative_error);
    }
  });
});

describe("a run that keeps no requests refuses", () => {
  const chat = { "workload.generate": { kind: "multi_turn_chat" } };
  it.each([
    ["a trace", { "workload.trace": "some.jsonl" }, "--stream: workload: a trace"],
    ["a rate for all requests", { ...chat, rate: 3 }, "--stream: workload.rate: 3"],
    ["a closed loop", { ...chat, "workload.concurrency": 4 }, "--stream: workload.concurrency: 4"],
    ["other think times", { ...chat, "workload.think_ms": 5 }, "--stream: workload.think_ms: 5"],
    [
      "as many blocks as all need",
      { ...chat, "engine.num_gpu_blocks": "unlimited" },
      "--stream: num_gpu_blocks",
    ],
    [
      "late KV events",
      { ...chat, policy: "precise_prefix", "signals.kv_event_delay_ms": 5 },
      "--stream: signals: late or lost KV events",
    ],
  ])("%s", (_, settings, message) => {
    expect(() => runStreamed(scenarioOf(settings))).toThrow(message);
  });

  it("a request that no worker can serve", () => {
    const settings = { "workload.generate": { kind: "multi_turn_chat" }, "engine.num_gpu_blocks": 20 };
    expect(() => runStreamed(scenarioOf(settings))).toThrow("fits no prefill worker");
  });
});
