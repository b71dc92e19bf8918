import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { workerIds } from "../../src/cli/decision-log.js";
import { RequestRows } from "../../src/measure/request-rows.js";
import { requestsCsv } from "../../src/measure/run-files.js";
import type { Distribution, Summary } from "../../src/measure/summary.js";
import type { Override } from "../../src/scenario/overrides.js";
import { loadScenario } from "../../src/scenario/load.js";
import type { Scenario } from "../../src/scenario/schema.js";
import { loadTrace } from "../../src/sweep/load-trace.js";
import { runScenario } from "../../src/sweep/run-scenario.js";
import { runStreamed } from "../../src/sweep/run-streamed.js";
import { freshPath, traceFile } from "../workload/trace-file.js";

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
    "at a rate of their own": {
      "workload.generate": { kind: "best_of_n", rate: 20 },
      rate: 6,
      "workload.arrival": "gamma",
      "workload.cv": 2,
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
    const { summary: streamed } = await runStreamed(scenario);
    expect(exactPart(streamed)).toEqual(exactPart(kept));
    expect(streamed.notes.slice(0, -1)).toEqual(kept.notes);
    for (const name of LATENCIES) {
      expectWithin(streamed[name], kept[name], streamed.percentiles!.relative_error);
    }
  });
});

/** Requests of a few prefixes, several at an instant every three seconds, as Mooncake's are. */
function mooncakeLines(count: number): object[] {
  return Array.from({ length: count }, (_, i) => ({
    timestamp: 3000 * Math.floor(i / 7) + 500,
    input_length: 900 + (i % 5) * 512,
    output_length: i % 11 === 0 ? 0 : 20 + (i % 30),
    hash_ids: Array.from({ length: 2 + (i % 5) }, (__, block) =>
      block < 2 ? block + (i % 4) * 10 : 1000 + i,
    ),
  }));
}

function pdbenchLines(count: number): object[] {
  return Array.from({ length: count }, (_, i) => ({
    arrival_s: i * 0.21,
    input_tokens: 700 + (i % 3) * 64,
    output_tokens: 30,
    block_tokens: 32,
    block_ids: Array.from({ length: 22 }, (__, block) => (i % 6) * 100 + block),
    session: `s${i % 9}`,
    priority: i % 2,
    cancel_after_s: i % 8 === 0 ? 0.4 : null,
  }));
}

const AZURE = [
  "TIMESTAMP,ContextTokens,GeneratedTokens",
  ...Array.from({ length: 120 }, (_, i) => {
    const second = String(10 + Math.floor(i / 4)).padStart(2, "0");
    return `2023-11-16 18:15:${second}.${(i % 4) * 2}000000,${800 + i},${10 + (i % 20)}`;
  }),
];

const traces = {
  mooncake: traceFile(mooncakeLines(140)),
  noneEmpty: traceFile(mooncakeLines(140).map((line) => ({ ...line, output_length: 25 }))),
  pdbench: traceFile(pdbenchLines(150)),
  azure: traceFile(AZURE),
  broken: traceFile([...mooncakeLines(40), "{ nonsense", ...mooncakeLines(80).slice(40)]),
};

describe("a trace that is read on the way gives what one gives that is read beforehand", () => {
  const cases: Record<string, Readonly<Record<string, unknown>>> = {
    "with ticks": { trace: traces.mooncake, requests: null },
    "its first requests, faster": { trace: traces.noneEmpty, requests: 100, speedup: 1.7 },
    "without jitter": { trace: traces.mooncake, requests: null, "workload.jitter": false },
    "at a rate of its own": { trace: traces.noneEmpty, requests: 90, rate: 4 },
    "with blocks of another size, sessions, priorities and cancels": {
      trace: traces.pdbench,
      requests: null,
    },
    "of comma-separated values": { trace: traces.azure, requests: null },
    "that is shorter than asked for": { trace: traces.azure, requests: 5000 },
    "with bad lines that are passed over": {
      trace: traces.broken,
      requests: null,
      "workload.skip_bad_lines": true,
    },
  };
  it.each(Object.entries(cases))("%s", async (_, settings) => {
    const scenario = scenarioOf(settings);
    const kept = runScenario(scenario, await loadTrace(scenario)).summary;
    const { summary: streamed } = await runStreamed(scenario);
    expect(exactPart(streamed)).toEqual(exactPart(kept));
    expect(streamed.notes.slice(0, -1).toSorted()).toEqual(kept.notes.toSorted());
  });

  it("and writes the same rows of requests, but for their own token gaps", async () => {
    const scenario = scenarioOf({ trace: traces.pdbench, requests: null });
    const { run } = runScenario(scenario, await loadTrace(scenario));
    const path = freshPath("requests.csv");
    const rows = new RequestRows(path, workerIds(scenario));
    await runStreamed(scenario, { rows });
    rows.close();
    expect(readFileSync(path, "utf8")).toBe([...requestsCsv(run)].join(""));
  });
});

describe("a trace that cannot be read in one pass is refused", () => {
  const late = [...mooncakeLines(20), { timestamp: 0, input_length: 5, output_length: 5 }];
  const thinking = pdbenchLines(20).map((line, i) => ({ ...line, ...(i === 12 && { think_s: 2 }) }));
  const tokens = [{ arrival_time_ns: 0, input_toks: 2, output_toks: 1, input_tok_ids: [1, 2] }];
  it.each([
    ["late requests", { trace: traceFile(late) }, /trace-\d+:21: arrives before the request above it/],
    ["think times", { trace: traceFile(thinking) }, /trace-\d+:13: has a think time/],
    ["gzip", { trace: traceFile(mooncakeLines(5), { gzip: true }) }, /is packed by gzip/],
    ["token ids", { trace: traceFile(tokens) }, /is llmservingsim/],
    ["bad lines", { trace: traces.broken }, /trace-\d+:41: .*expected a JSON object/],
    [
      "linked sessions",
      { trace: traces.pdbench, "workload.sessions": "linked" },
      /workload.sessions: linked/,
    ],
    ["no requests", { trace: traceFile([""]) }, /no requests, expected at least one/],
  ])("%s", async (_, settings, message) => {
    await expect(runStreamed(scenarioOf({ requests: null, ...settings }))).rejects.toThrow(message);
  });

  it("unless think times are not wanted", async () => {
    const settings = { trace: traceFile(thinking), requests: null, "workload.sessions": "independent" };
    expect((await runStreamed(scenarioOf(settings))).summary.requests.total).toBe(20);
  });
});

describe("a run that keeps no requests refuses", () => {
  const chat = { "workload.generate": { kind: "multi_turn_chat" } };
  it.each([
    ["no workload", {}, "there is no workload"],
    ["a rate for linked sessions", { ...chat, rate: 3 }, "--stream: workload.rate: 3"],
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
  ])("%s", async (_, settings, message) => {
    await expect(runStreamed(scenarioOf(settings))).rejects.toThrow(message);
  });

  it("a request that no worker can serve", async () => {
    const settings = { "workload.generate": { kind: "multi_turn_chat" }, "engine.num_gpu_blocks": 20 };
    await expect(runStreamed(scenarioOf(settings))).rejects.toThrow("fits no prefill worker");
  });
});
