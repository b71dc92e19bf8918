import { describe, expect, it } from "vitest";
import { renderComparison } from "../../src/cli/compare.js";
import { compareRuns } from "../../src/replay/compare-runs.js";
import type { Summary } from "../../src/measure/summary.js";

const latency = (mean: number | null, p90: number | null) => ({
  mean,
  p90,
  p50: null,
  p75: null,
  p95: null,
  p99: null,
  max: null,
});

function summaryOf(changes: object): Summary {
  return {
    ttft_ms: latency(100, 200),
    tpot_ms: latency(10, 12),
    itl_ms: latency(9, 11),
    cache: { hit_rate: 0.4 },
    routing: { disaggregated: 3, decode_only: 1 },
    workers: [
      { role: "prefill", id: "prefill-0", requests: 3 },
      { role: "decode", id: "decode-0", requests: 1 },
      { role: "decode", id: "decode-1", requests: 3 },
    ],
    ...changes,
  } as unknown as Summary;
}

describe("comparing two runs", () => {
  const live = summaryOf({
    ttft_ms: latency(103, 190),
    tpot_ms: latency(null, null),
    cache: { hit_rate: 0.41 },
    workers: [
      { role: "prefill", id: "http://p", requests: 4 },
      { role: "decode", id: "http://d:1", requests: 2 },
      { role: "decode", id: "http://d:2", requests: 2 },
    ],
  });

  it("gives times by ratio and shares by points", () => {
    const figures = new Map(compareRuns(summaryOf({}), live).map((row) => [row.figure, row]));
    expect(figures.get("TTFT mean")!.difference).toBeCloseTo(0.03);
    expect(figures.get("TTFT p90")!.difference).toBeCloseTo(-0.05);
    expect(figures.get("TPOT mean")!.difference).toBeNull();
    expect(figures.get("hit rate")!.difference).toBeCloseTo(0.01);
    expect(figures.get("disaggregated")).toMatchObject({ first: 0.75, second: 0.75, difference: 0 });
    expect(figures.get("decode worker 0")).toMatchObject({ first: 0.25, second: 0.5 });
  });

  it("prints a table", () => {
    const table = renderComparison(compareRuns(summaryOf({}), live), ["sim", "live"]);
    expect(table).toMatch(/TTFT mean \(ms\) +100 +103 +\+3\.0 %/);
    expect(table).toMatch(/TPOT mean \(ms\) +10\.0 +- +-/);
    expect(table).toMatch(/hit rate +40\.0 % +41\.0 % +\+1\.0 points/);
    expect(table).toMatch(/decode worker 1 +75\.0 % +50\.0 % +-25\.0 points/);
  });
});
