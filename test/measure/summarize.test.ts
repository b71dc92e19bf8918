import { describe, expect, it } from "vitest";
import { GapRunsBuilder } from "../../src/measure/gap-runs-builder.js";
import { summarize } from "../../src/measure/summarize.js";
import type { Slo } from "../../src/measure/summary.js";
import type { RequestCase } from "./run-builder.js";
import { runOf, workerOf } from "./run-builder.js";

const NO_SLO: Slo = { ttft_ms: null, tpot_ms: null, e2e_ms: null };
const context = { scenario: "test", settings: {}, slo: NO_SLO };

const completed: RequestCase = {
  sentMs: 100,
  queueMs: 5,
  firstTokenMs: 300,
  lastTokenMs: 700,
  outputTokens: 11,
};

describe("latencies of a summary", () => {
  it("count from the send: TTFT to the first token, E2E to the last, TPOT over the gaps between", () => {
    const summary = summarize(runOf([completed]), context);
    expect(summary.ttft_ms.p50).toBe(200);
    expect(summary.e2e_ms.p50).toBe(600);
    expect(summary.tpot_ms.p50).toBe(40);
  });

  it("leave a request with one token out of TPOT, and one without a transfer out of kv_transfer", () => {
    const oneToken = { ...completed, outputTokens: 1, lastTokenMs: 300 };
    const summary = summarize(runOf([completed, oneToken]), context);
    expect(summary.tpot_ms.max).toBe(40);
    expect(summary.tpot_ms.p50).toBe(40);
    expect(summary.kv_transfer_ms.mean).toBeNull();
  });

  it("keep the TTFT of a cancelled request, but neither its E2E nor its TPOT", () => {
    const summary = summarize(runOf([{ ...completed, status: "cancelled" }]), context);
    expect(summary.ttft_ms.p50).toBe(200);
    expect(summary.e2e_ms.p50).toBeNull();
    expect(summary.tpot_ms.p50).toBeNull();
  });

  it("interpolate percentiles linearly (type 7)", () => {
    const requests = [10, 20, 30, 40].map((ttft) => ({ ...completed, sentMs: 0, firstTokenMs: ttft }));
    const { p50, p75, p90, max } = summarize(runOf(requests), context).ttft_ms;
    expect(p50).toBe(25);
    expect(p75).toBe(32.5);
    expect(p90).toBeCloseTo(37, 12);
    expect(max).toBe(40);
  });

  it("pool the gaps of all requests into ITL", () => {
    const gaps = new GapRunsBuilder();
    gaps.add(10, 0, 9, 1);
    gaps.add(100, 0, 1, 1);
    const { itl_ms } = summarize(runOf([completed], { gaps: gaps.build() }), context);
    expect(itl_ms.mean).toBe(19);
    expect(itl_ms.p50).toBe(10);
    expect(itl_ms.max).toBe(100);
  });
});

describe("goodput", () => {
  const slo: Slo = { ttft_ms: 200, tpot_ms: 40, e2e_ms: null };
  const attainment = (request: RequestCase, objectives = slo) =>
    summarize(runOf([request]), { ...context, slo: objectives }).goodput.attainment;

  it.each<[string, RequestCase, number]>([
    ["exactly at both objectives is good", completed, 1],
    ["over the TTFT objective is not", { ...completed, firstTokenMs: 301 }, 0],
    ["over the TPOT objective is not", { ...completed, lastTokenMs: 701 }, 0],
    ["failed is not, however fast", { ...completed, status: "failed" }, 0],
    ["cancelled is not", { ...completed, status: "cancelled" }, 0],
    ["without a first token is not", { status: "completed", outputTokens: 5 }, 0],
    ["with one token has no gap to be late", { ...completed, outputTokens: 1, lastTokenMs: 300 }, 1],
  ])("a request %s", (_name, request, expected) => {
    expect(attainment(request)).toBe(expected);
  });

  it("without any objective counts every completed request", () => {
    const { goodput } = summarize(runOf([completed, { status: "failed" }]), context);
    expect(goodput).toEqual({ slo: NO_SLO, attainment: 0.5, requests_per_s: 1 });
  });

  it("judges E2E where asked for", () => {
    expect(attainment(completed, { ...NO_SLO, e2e_ms: 600 })).toBe(1);
    expect(attainment(completed, { ...NO_SLO, e2e_ms: 599 })).toBe(0);
  });
});

describe("hit rates", () => {
  const disaggregated: RequestCase = {
    ...completed,
    path: "disaggregated",
    inputTokens: 1000,
    cachedTokens: 400,
    decodeCachedTokens: 100,
  };
  const local: RequestCase = { ...completed, inputTokens: 1000, cachedTokens: 200 };

  it("count each admitted request once, where its prompt was computed", () => {
    const { cache } = summarize(runOf([disaggregated, local]), context);
    expect(cache).toEqual({
      hit_rate: 0.3,
      hit_tokens: 600,
      prompt_tokens: 2000,
      prefill_hit_rate: 0.4,
      decode_hit_rate: 0.15,
    });
  });

  it("leave out requests that no engine admitted", () => {
    const rejected: RequestCase = { status: "failed", inputTokens: 9000 };
    expect(summarize(runOf([local, rejected]), context).cache.prompt_tokens).toBe(1000);
  });

  it("count a live request by its first token, as no queue time is known of it", () => {
    const live = { ...local, queueMs: Number.NaN };
    expect(summarize(runOf([live]), context).cache.hit_rate).toBe(0.2);
  });

  it("are null where prefixes are not known", () => {
    const summary = summarize(runOf([local]), { ...context, hitRatesKnown: false });
    expect(summary.cache.hit_rate).toBeNull();
    expect(summary.workers[1]!.hit_rate).toBeNull();
    expect(summary.score.terms).not.toHaveProperty("cache_hit");
  });
});

describe("routing, balance and workers", () => {
  it("counts paths and branches of routed requests only", () => {
    const { routing } = summarize(
      runOf([
        { ...completed, path: "disaggregated", prefillWorker: 0, branch: 1 },
        completed,
        { status: "failed", decodeWorker: -1 },
      ]),
      context,
    );
    expect(routing).toEqual({
      disaggregated: 1,
      decode_only: 1,
      branches: { below_threshold: 1, at_or_above_threshold: 1 },
    });
  });

  it("states the spread over the workers of each leg", () => {
    const workers = [
      workerOf({ id: "p0", role: "prefill", requests: 30, busyMs: 500 }),
      workerOf({ id: "p1", role: "prefill", requests: 10, busyMs: 500 }),
      workerOf({ id: "d0", role: "decode" }),
    ];
    const { balance, workers: rows } = summarize(runOf([completed], { workers }), context);
    expect(balance.prefill.requests).toEqual({ max_over_mean: 1.5, coefficient_of_variation: 0.5 });
    expect(balance.prefill.busy).toEqual({ max_over_mean: 1, coefficient_of_variation: 0 });
    expect(balance.decode.busy.max_over_mean).toBeNull();
    expect(rows[0]!.utilization).toBe(0.5);
  });

  it("says how fast the simulator was only when told the wall time", () => {
    expect(summarize(runOf([completed]), context)).not.toHaveProperty("simulator");
    const { simulator } = summarize(runOf([completed], { events: 7 }), { ...context, wallS: 0.5 });
    expect(simulator).toEqual({ wall_s: 0.5, requests_per_s: 2, events: 7, steps: 0 });
  });
});

describe("an empty run", () => {
  it("has zeros and nulls, and no NaN anywhere", () => {
    const summary = summarize(runOf([], { durationMs: 0 }), context);
    expect(
      JSON.stringify(summary, (_key, value: unknown) => (Number.isNaN(value) ? "NaN" : value)),
    ).not.toContain("NaN");
    expect(summary.goodput.attainment).toBe(0);
    expect(summary.score.value).toBe(0);
  });
});
