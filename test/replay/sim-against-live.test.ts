import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startMockEngines, type RunningEngine } from "../../mock-engines/start-mock-engines.js";
import { summarize } from "../../src/measure/summarize.js";
import type { RunResult } from "../../src/measure/records.js";
import type { Summary } from "../../src/measure/summary.js";
import { replayEventLog } from "../../src/proxy/event-log-replay.js";
import { startProxy } from "../../src/proxy/server.js";
import { parseWorkerUrl } from "../../src/proxy/worker-url.js";
import { compareRuns } from "../../src/replay/compare-runs.js";
import { DEFAULT_TOKEN_RANGE } from "../../src/replay/prompt-tokens.js";
import { Replayer } from "../../src/replay/replayer.js";
import { findScenario } from "../../src/scenario/load.js";
import { loadProfile } from "../../src/scenario/profiles.js";
import { resolveScenario } from "../../src/scenario/resolve.js";
import { scenarioSetup } from "../../src/simulator/scenario-setup.js";
import { simulate } from "../../src/simulator/simulator.js";
import { proxyOptions } from "../proxy/support/fleet.js";
import { workloadOf } from "./support/workload.js";

/** Slower than life: what a busy machine adds to a live run then weighs half. */
const TIME_SCALE = 2;
const REQUESTS = 30;

const scenario = resolveScenario(
  findScenario(null),
  Object.entries({
    prefill_workers: 2,
    decode_workers: 2,
    profile: "llama-3.1-8b-h100-tp1-bf16",
    policy: "round_robin",
    routing_threshold: 600,
    "engine.vllm_version": "main-2026-08",
  }).map(([setting, value]) => ({ setting, value, source: setting })),
);

/** Every third prompt is short, and every prompt begins with one of three prefixes. */
const workload = workloadOf(
  Array.from({ length: REQUESTS }, (_, i) => ({
    arrivalMs: i * 60,
    inputTokens: i % 3 === 0 ? 256 : 2560,
    outputTokens: 10 + (i % 7),
    blocks: [i % 3, ...Array.from({ length: 9 }, (_, block) => 10 + i * 10 + block)],
  })),
  { blockTokens: 256 },
);

let folder: string;
let simulated: Summary;
let live: Summary;
let eventLog: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pdbench-live-"));
  eventLog = join(folder, "events.jsonl");
  const profile = loadProfile(scenario.fleet.decode.profile);
  simulated = summaryOf(simulate(scenarioSetup(scenario, { prefill: profile, decode: profile }, workload)));
  live = summaryOf(await replayLive());
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

function summaryOf(run: RunResult): Summary {
  return summarize(run, { scenario: scenario.name, settings: {}, slo: scenario.slo });
}

async function replayLive(): Promise<RunResult> {
  const fleet = await startMockEngines({ scenario, timeScale: TIME_SCALE });
  const urls = (role: RunningEngine["role"]) =>
    fleet.engines.filter((engine) => engine.role === role).map(({ url }) => parseWorkerUrl(url));
  const proxy = await startProxy({
    ...proxyOptions([], [], scenario.router),
    prefill: urls("prefill"),
    decode: urls("decode"),
    eventLog,
  });
  const { run } = await new Replayer({
    url: proxy.url,
    workload,
    body: { endpoint: "completions", promptForm: "ids", model: fleet.engines[0]!.model },
    tokenRange: DEFAULT_TOKEN_RANGE,
    headers: {},
    timeScale: TIME_SCALE,
    timeoutMs: 60_000,
    warmups: 8,
  }).run();
  await proxy.close();
  await fleet.close();
  return run;
}

describe("the same workload, simulated and live", () => {
  it("completes in both", () => {
    expect(live.requests).toEqual({ total: REQUESTS, completed: REQUESTS, failed: 0, cancelled: 0 });
    expect(simulated.requests).toEqual(live.requests);
  });

  it("is routed alike, and finds the same prefixes", () => {
    const shares = compareRuns(simulated, live).filter(({ unit }) => unit === "share");
    expect(shares.map(({ figure }) => figure)).toContain("decode worker 1");
    for (const { figure, difference } of shares) expect(Math.abs(difference!), figure).toBeLessThan(0.01);
    expect(live.cache.hit_rate).toBeGreaterThan(0.02);
  });

  it("takes the same time, to what a shared machine allows", () => {
    const times = compareRuns(simulated, live).filter(({ unit }) => unit === "ms");
    for (const { figure, difference } of times) expect(Math.abs(difference!), figure).toBeLessThan(0.25);
  });

  it("is decided alike by a fresh core that is told what the live one was", async () => {
    const { decisions, divergences } = await replayEventLog(eventLog);
    expect(decisions).toBeGreaterThanOrEqual(REQUESTS);
    expect(divergences).toEqual([]);
  });
});
