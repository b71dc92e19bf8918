import fc from "fast-check";
import { expect, it } from "vitest";
import type { EngineState } from "../../src/engine/engine-state.js";
import { stepTimeModel } from "../../src/engine/profile.js";
import { BUILTIN_PROFILES } from "../../src/engine/profiles/registry.js";
import type { StepTimeModel } from "../../src/engine/types.js";
import { VLLM_VERSIONS } from "../../src/engine/vllm-versions.js";
import { WorkError } from "../../src/errors.js";
import { anEngineConfig, aRequest, aSpan, PiecewiseStepTime } from "./builders.js";
import { drive, type Outcome } from "./driver.js";
import { randomScenario, type RandomScenario } from "./scenarios.js";

/** Null if the engine thrashes for ever, as vLLM 0.11 can. */
function run(scenario: RandomScenario, stepTime: StepTimeModel, time: "fast" | "plain"): Outcome | null {
  const lastMs = scenario.submissions.at(-1)!.atMs;
  try {
    return drive({
      config: scenario.config,
      submissions: scenario.submissions,
      stepTime,
      time,
      gaugesAtMs: [0.31, 0.77, 1.13].map((part) => lastMs * part + 0.00137),
    });
  } catch (error) {
    if (error instanceof WorkError) return null;
    throw error;
  }
}

function expectSameTime(fastMs: number, plainMs: number): void {
  expect(Math.abs(fastMs - plainMs)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(plainMs)));
}

function expectSameEvents(fast: Outcome, plain: Outcome): void {
  expect([...fast.events.keys()].sort()).toEqual([...plain.events.keys()].sort());
  for (const [id, expected] of plain.events) {
    const got = fast.events.get(id)!;
    const facts = (one: Outcome) =>
      one.events.get(id)!.map(({ what, tokens, reason }) => [id, what, tokens, reason]);
    expect(facts(fast)).toEqual(facts(plain));
    expected.forEach(({ atMs }, i) => expectSameTime(got[i]!.atMs, atMs));
  }
}

/** The engine's caches and queues, down to what the free blocks hold and their order. */
function innerState(outcome: Outcome) {
  const { kv, running, runningCount } = (outcome.engine as unknown as { state: EngineState }).state;
  return { freeKeys: kv.freeKeys(), running: [...running.subarray(0, runningCount)] };
}

function expectSameRun(scenario: RandomScenario, stepTime: StepTimeModel): void {
  const plain = run(scenario, stepTime, "plain");
  const fast = run(scenario, stepTime, "fast");
  if (plain === null || fast === null) {
    expect(fast).toBe(plain);
    return;
  }
  expectSameEvents(fast, plain);
  expect(fast.gapsMs).toHaveLength(plain.gapsMs.length);
  plain.gapsMs.forEach((gapMs, i) => expectSameTime(fast.gapsMs[i]!, gapMs));
  expect(fast.gauges).toEqual(plain.gauges);
  const { busyMs: plainBusyMs, ...plainTotals } = plain.engine.totals();
  const { busyMs: fastBusyMs, ...fastTotals } = fast.engine.totals();
  expect(fastTotals).toEqual(plainTotals);
  expectSameTime(fastBusyMs, plainBusyMs);
  expect(innerState(fast)).toEqual(innerState(plain));
}

const RUNS = Number(process.env["ENGINE_RUNS"] ?? 200);

it("the fast engine gives the events of the plain one", () => {
  const pieces = fc.constantFrom(50, 400, 100_000);
  fc.assert(
    fc.property(randomScenario, pieces, (scenario, breakEvery) =>
      expectSameRun(scenario, new PiecewiseStepTime(breakEvery)),
    ),
    { numRuns: RUNS },
  );
});

it("the fast engine gives the events of the plain one with measured step times", () => {
  fc.assert(
    fc.property(randomScenario, fc.constantFrom(...BUILTIN_PROFILES), (scenario, profile) =>
      expectSameRun(scenario, stepTimeModel(profile)),
    ),
    { numRuns: RUNS / 4 },
  );
});

it("a request that waits behind a full step goes in with the step that leaves another out", () => {
  const config = anEngineConfig({
    maxNumBatchedTokens: 2,
    asyncScheduling: true,
    rules: VLLM_VERSIONS["main-2026-08"],
  });
  const submissions = [1, 1, 8].map((promptTokens, id) => ({
    atMs: id / 1000,
    request: aRequest(id, { promptTokens, outputTokens: 12 }),
  }));
  expectSameRun({ config, submissions }, new PiecewiseStepTime(100_000));
});

it("a load hits the block that a request fills in the step in which it begins", () => {
  const submissions = [
    {
      promptTokens: 3,
      outputTokens: 6,
      content: aSpan(8, [
        [0, 1],
        [1000, 1],
      ]),
    },
    { promptTokens: 5, outputTokens: 1, content: aSpan(8, [[0, 1]]), kvRole: "remote_prefill" as const },
  ].map((request, id) => ({ atMs: id / 100, request: aRequest(id, request), transferMs: 0.01 }));
  expectSameRun(
    { config: anEngineConfig({ blockSize: 4, asyncScheduling: false }), submissions },
    new PiecewiseStepTime(50),
  );
});
