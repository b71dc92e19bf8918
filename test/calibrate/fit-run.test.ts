import { describe, expect, it } from "vitest";
import { calibrateRun } from "../../src/calibrate/calibrate-run.js";
import type { MeasuredRun } from "../../src/calibrate/measured-run.js";
import { UNKNOWN_SETTINGS } from "../../src/calibrate/run-settings.js";
import { simulateRun } from "../../src/calibrate/simulate-run.js";
import type { RunWorkload, SimulatedRun } from "../../src/calibrate/simulate-run.js";
import { StepLog } from "../../src/calibrate/step-log.js";
import { stepTimeModel } from "../../src/engine/profile.js";
import type { EngineProfile } from "../../src/engine/profile.js";
import type { StepLoad } from "../../src/engine/types.js";
import { engineConfig, linearProfile, randomWorkload } from "./builders.js";

const IDENTITY = { hardware: "RTX4090", model: "Llama-3.1-8B", modelShape: null, tp: 1, kvBlocks: 20_000 };
const SETTINGS = { ...UNKNOWN_SETTINGS, vllmVersion: "0.19.0", maxNumSeqs: 64, maxNumBatchedTokens: 2048 };

function simulate(
  workload: RunWorkload,
  profile: EngineProfile,
  startsAt: "queue" | "client" = "queue",
): SimulatedRun {
  const engine = { config: engineConfig(), stepTime: stepTimeModel(profile), overheads: profile.overheads };
  return simulateRun(workload, { ...engine, time: "fast" }, startsAt);
}

/** What our own engine does with a profile, as if it had been measured. */
function measured(workload: RunWorkload, profile: EngineProfile, startsAt: "queue" | "client"): MeasuredRun {
  const { requests, timeline } = simulate(workload, profile, startsAt);
  return { path: "made-up", startsAt, requests, timeline, settings: SETTINGS };
}

function mean(column: Float64Array): number {
  return column.reduce((sum, value) => sum + value, 0) / column.length;
}

describe("calibrateRun", () => {
  const truth = linearProfile();
  const workload = randomWorkload(70, 130);

  it.each(["queue", "client"] as const)(
    "finds step times that repeat a run measured from the %s",
    (startsAt) => {
      const { profile, points } = calibrateRun(measured(workload, truth, startsAt), workload, IDENTITY, null);
      const other = randomWorkload(100, 110, 7);
      const predicted = simulate(other, profile).requests;
      const expected = simulate(other, truth).requests;
      for (const column of ["ttftMs", "tpotMs", "e2eMs"] as const) {
        expect(mean(predicted[column]) / mean(expected[column])).toBeCloseTo(1, 1);
      }
      expect(profile.fit_error.decode_mean_pct).toBeLessThan(2);
      expect(points.length).toBeGreaterThan(100);
    },
  );

  it("tells the time to the server and back from that of the steps", () => {
    const far = linearProfile({ overheads: { ...truth.overheads, http_ms: 40 } });
    const light = randomWorkload(50, 1500);
    const { profile } = calibrateRun(measured(light, far, "client"), light, IDENTITY, null);
    expect(profile.overheads.http_ms).toBeGreaterThan(30);
    expect(profile.overheads.http_ms).toBeLessThan(50);
  });

  it("does not let later requests into a fit to the first", () => {
    const run = measured(workload, truth, "queue");
    const slowLater = {
      ...run.requests,
      lastTokenMs: run.requests.lastTokenMs.map((ms, i) => (i < 40 ? ms : 9 * ms)),
    };
    const fitted = calibrateRun(run, workload, IDENTITY, 40);
    const spoiled = calibrateRun({ ...run, requests: slowLater }, workload, IDENTITY, 40);
    expect(spoiled.profile).toEqual(fitted.profile);
    expect(fitted.profile.source).toContain("the first 40 of 70 requests");
  });

  it("warns of coefficients that the requests do not tell", () => {
    const alone = randomWorkload(8, 60_000);
    const { warnings } = calibrateRun(measured(alone, truth, "queue"), alone, IDENTITY, null);
    expect(warnings.join("\n")).toContain("mixed per_context_token_ms: the requests do not tell it");
  });

  it("asks for a model that the run does not name, and does without its card", () => {
    const run = measured(workload, truth, "queue");
    expect(() => calibrateRun(run, workload, { ...IDENTITY, model: null }, null)).toThrow(
      "made-up: does not say its model, expected --model",
    );
    const anywhere = { ...IDENTITY, hardware: null, kvBlocks: null };
    const { profile, warnings } = calibrateRun({ ...run, timeline: [] }, workload, anywhere, null);
    expect(profile.hardware).toEqual({ name: "unknown", memory_bytes: null });
    expect(profile.kv_capacity_tokens).toBeGreaterThan(10_000);
    expect(warnings[0]).toMatch(/^the run does not say its card \(--hardware\)/);
  });

  it("makes the same profile of the same run", () => {
    const few = randomWorkload(20, 130);
    const run = measured(few, truth, "queue");
    expect(calibrateRun(run, few, IDENTITY, null)).toEqual(calibrateRun(run, few, IDENTITY, null));
  });
});

describe("StepLog", () => {
  const load: StepLoad = {
    decodes: 1,
    decodeContextTokens: 10,
    decodeMaxContextTokens: 10,
    prefills: 0,
    prefillTokens: 0,
    prefillContextTokens: 0,
    prefillPairs: 0,
  };

  it("counts the work between two times, steps in part, nothing while idle", () => {
    const log = new StepLog({ stepMs: () => 10, decodeLine: () => undefined }, 1, ({ decodes }) => [decodes]);
    log.nowMs = 100;
    log.stepMs(load);
    log.stepMs({ ...load, decodes: 3 });
    log.nowMs = 200;
    log.stepMs({ ...load, decodes: 5 });
    expect(log.workBetween(0, 99)).toEqual([0]);
    expect(log.workBetween(100, 110)).toEqual([1]);
    expect(log.workBetween(105, 115)).toEqual([0.5 + 1.5]);
    expect(log.workBetween(120, 200)).toEqual([0]);
    expect(log.workBetween(0, 1000)).toEqual([9]);
  });
});
