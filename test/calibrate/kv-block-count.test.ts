import { expect, it, describe } from "vitest";
import { blocksFromTimeline, kvBlockCount } from "../../src/calibrate/kv-block-count.js";
import { readMeasuredRun } from "../../src/calibrate/measured-run.js";
import type { MeasuredRun } from "../../src/calibrate/measured-run.js";
import { UNKNOWN_SETTINGS } from "../../src/calibrate/run-settings.js";
import { simulateRun } from "../../src/calibrate/simulate-run.js";
import { stepTimeModel } from "../../src/engine/profile.js";
import { describeWithSharedData, sharedData } from "../support/shared-data.js";
import { engineConfig, linearProfile, randomWorkload } from "./builders.js";

const PROFILE = linearProfile();

/** A run of our own engine, as if it had been measured. */
function runWith(numGpuBlocks: number): MeasuredRun {
  const simulated = simulateRun(
    randomWorkload(120, 100),
    {
      config: engineConfig({ numGpuBlocks }),
      stepTime: stepTimeModel(PROFILE),
      overheads: PROFILE.overheads,
      time: "fast",
    },
    "queue",
  );
  return {
    path: "run",
    startsAt: "queue",
    requests: simulated.requests,
    timeline: simulated.timeline,
    settings: { ...UNKNOWN_SETTINGS, maxNumSeqs: 64, maxNumBatchedTokens: 2048 },
  };
}

describe("kvBlockCount", () => {
  const run = runWith(2000);

  it("takes what is given before what was recorded, and that before what can be inferred", () => {
    const recorded = { ...run, settings: { ...run.settings, numGpuBlocks: 1234 } };
    expect(kvBlockCount(recorded, PROFILE, 99)).toEqual({ blocks: 99, source: "99 KV blocks, as given." });
    expect(kvBlockCount(recorded, PROFILE, null)).toMatchObject({
      blocks: 1234,
      source: expect.stringMatching(/recorded/) as string,
    });
    expect(kvBlockCount(run, PROFILE, null).source).toMatch(/inferred from \d+ samples/);
  });

  it("infers the blocks from usage over time within 5 %", () => {
    expect(Math.abs(blocksFromTimeline(run)!.blocks - 1999) / 1999).toBeLessThan(0.05);
  });

  it("derives them from the run's card where nothing was recorded", () => {
    const silent = { ...run, timeline: run.timeline.map((sample) => ({ ...sample, kvUsage: NaN })) };
    const onRecordedCard = {
      ...silent,
      settings: { ...silent.settings, deviceName: "NVIDIA H100 80GB HBM3" },
    };
    const small = kvBlockCount(silent, PROFILE, null);
    const large = kvBlockCount(onRecordedCard, PROFILE, null);
    expect(small.source).toMatch(/derived from the card's memory/);
    expect(large.blocks).toBeGreaterThan(8 * small.blocks);
  });

  it("takes somewhat more than the requests held where nothing is known, so that none has to wait", () => {
    const silent = { ...run, timeline: [] };
    const profile = linearProfile({ hardware: { name: "abacus", memory_bytes: null } });
    const { blocks, source } = kvBlockCount(silent, profile, null);
    expect(source).toMatch(/1\.1 times what its requests held at most/);
    expect(blocks).toBeGreaterThan(Math.max(...run.timeline.map((sample) => sample.kvUsage)) * 1999);
    expect(blocks).toBeLessThan(1999 * 1.3);
  });

  it("takes the profile's own capacity before deriving one", () => {
    const silent = { ...run, timeline: [] };
    const profile = linearProfile({ kv_capacity_tokens: 32000 });
    expect(kvBlockCount(silent, profile, null)).toMatchObject({
      blocks: 2000,
      source: expect.stringMatching(/kv_capacity_tokens/) as string,
    });
  });
});

describeWithSharedData("the run on an RTX 4090, which recorded 2,588 KV blocks", ["vllm-runs"], () => {
  it("shows them in its timeline within 3 %", () => {
    const run = readMeasuredRun(sharedData("vllm-runs/rtx4090-llama-3.1-8b"));
    expect(run.settings.numGpuBlocks).toBe(2588);
    expect(Math.abs(blocksFromTimeline(run)!.blocks - 2588) / 2588).toBeLessThan(0.03);
  });
});
