import { describe, expect, it } from "vitest";
import { createRequestRecords } from "../../src/measure/record-builder.js";
import { HopelessRun, stopWhenHopeless } from "../../src/sweep/hopeless-run.js";
import type { SweepProgress } from "../../src/sweep/run-sweep.js";
import type * as Threads from "../../src/sweep/local-executor.js";
import { built } from "../support/built.js";
import { comparable, run, SMALL_SWEEP, smallPlan, withFolder } from "./sweep-bench.js";

const SLO = { ttft_ms: 100, tpot_ms: null, e2e_ms: null };

/** 100 requests of which the first `ended` have ended, `missed` of them too late. */
function recordsAfter(ended: number, missed: number): ReturnType<typeof createRequestRecords> {
  const records = createRequestRecords(100);
  for (let row = 0; row < ended; row++) {
    records.sentMs[row] = 0;
    records.firstTokenMs[row] = row < missed ? 101 : 100;
    records.lastTokenMs[row] = 200;
  }
  return records;
}

describe("a run is stopped", () => {
  it.each([
    [50, 10, 0.9, false],
    [50, 11, 0.9, true],
    [100, 10, 0.9, false],
    [100, 11, 0.9, true],
    [1, 1, 1, true],
    [100, 0, 1, false],
  ])("after %i of 100 requests with %i misses and a share of %f: %s", (ended, missed, share, stops) => {
    const look = (): void => stopWhenHopeless(SLO, share)(ended, recordsAfter(ended, missed));
    if (stops) expect(look).toThrow(HopelessRun);
    else expect(look).not.toThrow();
  });
});

describe("a sweep with an attainment to reach", () => {
  // One prefill worker at 40 requests/s drowns where everything is disaggregated.
  const text = SMALL_SWEEP.replace("requests: 60", "requests: 1500")
    .replace("rate: 20", "rate: 40")
    .replace("seeds: 2", "seeds: 1")
    .concat("slo: { ttft_ms: 400 }\n");

  it("stops the runs that cannot reach it, says so, and changes nothing else", async () => {
    const whole = await run(smallPlan(text));
    const attainments = whole.points.map(({ runs }) => runs[0]!.summary!.goodput.attainment);
    const share = (Math.min(...attainments) + Math.max(...attainments)) / 2;
    const stopped = await run(smallPlan(text), { stopBelow: share });
    for (const [index, { runs }] of stopped.points.entries()) {
      if (attainments[index]! >= share) expect(runs).toEqual(whole.points[index]!.runs);
      else {
        expect(runs[0]).toMatchObject({ summary: null, stopped: true });
        expect(runs[0]!.error).toMatch(
          /^stopped early: after \d+ of 1500 requests at least \d+ had missed the SLO/,
        );
      }
    }
    const count = attainments.filter((attainment) => attainment < share).length;
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(4);
    expect(stopped.notes.at(-1)).toMatch(new RegExp(`were stopped and have no figures: ${count} of 4\\.$`));
    await withFolder(async (directory) => {
      const first = await run(smallPlan(text), { stopBelow: share, directory });
      const seen: SweepProgress[] = [];
      const again = await run(smallPlan(text), {
        stopBelow: share,
        directory,
        onProgress: (now) => seen.push(now),
      });
      expect(comparable(again)).toBe(comparable(first));
      expect(seen[0]).toMatchObject({ earlier: 4 });
    });
    const { localExecutor } = await built<typeof Threads>("sweep/local-executor.js");
    const threads = await run(smallPlan(text), { stopBelow: share, execute: localExecutor(2) });
    expect(comparable(threads)).toBe(comparable(stopped));
  });
});
