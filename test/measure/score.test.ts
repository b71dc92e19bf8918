import { describe, expect, it } from "vitest";
import { emptyDistribution } from "../../src/measure/distribution.js";
import { scoreOf } from "../../src/measure/score.js";
import type { Slo } from "../../src/measure/summary.js";

const SLO: Slo = { ttft_ms: 1000, tpot_ms: 40, e2e_ms: null };

function partsOf(ttftP90: number | null, itlP90: number | null, hitRate: number | null, completed = 10) {
  const distribution = (p90: number | null) => ({ ...emptyDistribution(), p90 });
  return {
    ttft_ms: distribution(ttftP90),
    itl_ms: distribution(itlP90),
    cache: {
      hit_rate: hitRate,
      hit_tokens: 0,
      prompt_tokens: 0,
      prefill_hit_rate: null,
      decode_hit_rate: null,
    },
    requests: { total: 10, completed, failed: 10 - completed, cancelled: 0 },
  };
}

describe("the score", () => {
  it("gives half a latency term at its target", () => {
    expect(scoreOf(partsOf(1000, 40, 0.5), SLO)).toEqual({
      value: 50,
      terms: { ttft: 0.5, itl: 0.5, cache_hit: 0.5, completed: 1 },
    });
  });

  it("is 100 when nothing takes time and every token hits", () => {
    expect(scoreOf(partsOf(0, 0, 1), SLO).value).toBeCloseTo(100, 10);
  });

  it.each([
    ["TTFT", partsOf(1001, 40, 0.5)],
    ["ITL", partsOf(1000, 41, 0.5)],
    ["hit rate", partsOf(1000, 40, 0.49)],
    ["completion", partsOf(1000, 40, 0.5, 9)],
  ])("falls when %s gets worse", (_name, parts) => {
    expect(scoreOf(parts, SLO).value).toBeLessThan(50);
  });

  it("shares the weight of a missing term among the others", () => {
    expect(scoreOf(partsOf(1000, 40, null), SLO).value).toBeCloseTo(50, 10);
    expect(scoreOf(partsOf(1000, null, null), SLO).terms).toEqual({ ttft: 0.5, completed: 1 });
  });

  it("uses 2,000 ms and 50 ms where no objective is set", () => {
    const none: Slo = { ttft_ms: null, tpot_ms: null, e2e_ms: null };
    expect(scoreOf(partsOf(2000, 50, 0.5), none).value).toBeCloseTo(50, 10);
  });
});
