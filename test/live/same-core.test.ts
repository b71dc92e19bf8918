import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { replayInLockstep, type LockstepRun } from "../../scripts/sim-vs-live/lockstep.js";
import { seenRequests } from "../../scripts/sim-vs-live/seen-requests.js";
import type { RunResult } from "../../src/measure/records.js";
import { summarize } from "../../src/measure/summarize.js";
import { replayEventLog } from "../../src/proxy/event-log-replay.js";
import { compareRuns, type ComparedFigure } from "../../src/replay/compare-runs.js";
import { loadProfile } from "../../src/scenario/profiles.js";
import { resolveScenario } from "../../src/scenario/resolve.js";
import type { Scenario } from "../../src/scenario/schema.js";
import { parseScenarioSource } from "../../src/scenario/scenario-source.js";
import { arrivalOptions } from "../../src/scenario/workload-settings.js";
import { scenarioSetup } from "../../src/simulator/scenario-setup.js";
import { simulate } from "../../src/simulator/simulator.js";
import { loadTrace } from "../../src/sweep/load-trace.js";
import { buildWorkload } from "../../src/workload/build-workload.js";
import type { Workload } from "../../src/workload/workload.js";

const FLEET = `
  fleet: { prefill: { workers: 4, profile: llama-3.1-8b-h100-tp1-bf16 }, decode: { workers: 4 } }
  network: { kv_transfer: { bandwidth_gbps: 100, latency_ms: 2 } }`;

/** Shared system prompts and one-off prompts; decode workers by statistics that are polled. */
const MIXED = `
  name: mixed${FLEET}
  workload:
    generate:
      kind: mixed
      rate: 60
      multi_turn_chat_weight: 0
      best_of_n_weight: 0
      long_document_weight: 0
      shared_system_prompt.system_prompts: 5
      shared_system_prompt.system_prompt_tokens_mean: 3000
      shared_system_prompt.output_tokens_mean: 30
      lengths.input_tokens_mean: 4000
      lengths.output_tokens_mean: 30
    requests: 60`;

/** Decode workers by statistics that are polled. */
const BY_STATISTICS = `${MIXED}
  router:
    decider: { kind: threshold, routing_threshold: 2048 }
    prefill_policy: cache_aware
    decode_policy: least_loaded`;

/** Decode workers are chosen when the prefill leg is over, by a counter that is released too early. */
const BY_A_WRONG_COUNTER = `${MIXED}
  router:
    decider: { kind: threshold, routing_threshold: 1024 }
    policy: cache_aware
    order: late_decode
    load_accounting: { decode_release: headers }`;

/** Ports that the system picks are in no order, so a worker's place among them says nothing. */
function isNoWorker({ figure }: ComparedFigure): boolean {
  return !/worker/.test(figure);
}

async function workloadOf(scenario: Scenario): Promise<Workload> {
  return buildWorkload(await loadTrace(scenario), arrivalOptions(scenario.workload), scenario.seed);
}

describe.each([
  ["2P2D", BY_STATISTICS, { prefill_workers: 2, decode_workers: 2, rate: 30 }],
  ["4P4D", BY_STATISTICS, { rate: 60 }],
  [
    "2P2D, late decode, wrong counter",
    BY_A_WRONG_COUNTER,
    { prefill_workers: 2, decode_workers: 2, rate: 30 },
  ],
])("the same workload, simulated and live in lockstep: %s", (_name, base, settings) => {
  let folder: string;
  let simulated: RunResult;
  let live: LockstepRun;
  let scenario: Scenario;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "pdbench-lockstep-"));
    scenario = resolveScenario(
      parseScenarioSource(base, "scenario"),
      Object.entries(settings).map(([setting, value]) => ({ setting, value, source: setting })),
    );
    const workload = await workloadOf(scenario);
    const profiles = {
      prefill: loadProfile(scenario.fleet.prefill.profile),
      decode: loadProfile(scenario.fleet.decode.profile),
    };
    simulated = simulate(scenarioSetup(scenario, profiles, workload));
    live = await replayInLockstep(scenario, workload, join(folder, "events.jsonl"));
  }, 60_000);

  afterAll(() => rm(folder, { recursive: true }));

  it("gives every request the same workers, tokens and times", () => {
    const places = live.fleetPlaces;
    expect(seenRequests(live.run, (worker) => places[worker]!)).toEqual(
      seenRequests(simulated, (worker) => worker),
    );
  });

  it("gives the same figures", () => {
    const summaryOf = (run: RunResult) =>
      summarize(run, { scenario: scenario.name, settings: {}, slo: scenario.slo });
    const figures = compareRuns(summaryOf(simulated), summaryOf(live.run));
    for (const { figure, difference } of figures.filter(isNoWorker)) {
      expect(difference, figure).toBeCloseTo(0, 9);
    }
  });

  it("is decided alike by a fresh core that is told what the live one was", async () => {
    const { decisions, divergences } = await replayEventLog(join(folder, "events.jsonl"));
    expect(decisions).toBeGreaterThanOrEqual(simulated.records.count);
    expect(divergences).toEqual([]);
  });
});
