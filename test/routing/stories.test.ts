import { describe, expect, it } from "vitest";
import { request, routerOf, tally } from "./builders.js";

/** 32 prompts of 873 tokens, 8 samples each, over 4 engines, all open at once (vllm-router #180). */
function groupsOfSamples(settings: Record<string, unknown>) {
  const router = routerOf({ decider: "never", ...settings }, { prefill: 0, decode: 4 });
  const decisions = Array.from({ length: 256 }, (_, id) => {
    const prompt = Math.floor(id / 8);
    const symbols = Array.from({ length: 55 }, (_, block) => 100 * prompt + block);
    const key = `prompt-${prompt}`;
    return router.route(request(id, { symbols, unitsPerSymbol: 16, promptTokens: 873, sessionKey: key }), id)
      .decode!;
  });
  const seen = new Set<string>();
  let hits = 0;
  decisions.forEach(({ worker }, id) => {
    const place = `${worker}/${Math.floor(id / 8)}`;
    if (seen.has(place)) hits++;
    seen.add(place);
  });
  return {
    load: tally(decisions.map(({ worker }) => worker)),
    hitRate: hits / 256,
    cacheHits: decisions.filter(({ branch }) => branch === "cache_hit").length,
  };
}

describe("32 prompts with 8 samples each over 4 engines", () => {
  it("round_robin spreads evenly and computes every prompt on every engine", () => {
    expect(groupsOfSamples({ policy: "round_robin" })).toMatchObject({
      load: [64, 64, 64, 64],
      hitRate: 0.5,
    });
  });

  it.each(["fixed", "compat"])("cache_aware (%s) computes every prompt once and spreads evenly", (form) => {
    const { load, hitRate, cacheHits } = groupsOfSamples({ policy: "cache_aware", form });
    expect(load).toEqual([64, 64, 64, 64]);
    expect(hitRate).toBe(0.875);
    expect(cacheHits).toBe(224);
  });

  it("consistent_hash computes every prompt once and spreads as the keys fall", () => {
    const { load, hitRate } = groupsOfSamples({ policy: "consistent_hash" });
    expect(hitRate).toBe(0.875);
    expect(Math.max(...load)).toBeGreaterThan(64);
  });

  it("cache_aware without load tracking gives everything to one engine", () => {
    const load_accounting = { never_counted: true };
    const { load } = groupsOfSamples({ preset: "vllm-router-regular", load_accounting });
    expect(load).toEqual([256]);
  });
});

describe("decode load released at headers", () => {
  /** 200 streaming requests with one prompt over 4 decode ranks (cache_aware 0.5 / 32 / 1.1). */
  const stream = (decode_release: string) => {
    const settings = { cache_threshold: 0.5, balance_abs_threshold: 32, balance_rel_threshold: 1.1 };
    const router = routerOf(
      { preset: "vllm-router", ...settings, load_accounting: { decode_release } },
      { prefill: 4, decode: 4 },
    );
    const decode = Array.from({ length: 200 }, (_, id) => {
      const { decode: leg } = router.route(request(id, { symbols: [1, 2, 3] }), id);
      router.onLegEnd(id, "prefill", "completed", id);
      router.onDispatched(id, "decode", id);
      router.onHeaders(id, "decode", id);
      return leg!;
    });
    return {
      load: [4, 5, 6, 7].map((worker) => router.load.open(worker)),
      booked: [4, 5, 6, 7].map((worker) => router.bookedLegs(worker)),
      balanced: decode.filter(({ branch }) => branch === "balance").length,
    };
  };

  it("reads as no load at all while everything piles up on one worker", () => {
    expect(stream("headers")).toEqual({ load: [0, 0, 0, 0], booked: [200, 0, 0, 0], balanced: 0 });
  });

  it("shows up as imbalance and spreads once it is held to the end of the stream", () => {
    const { load, booked, balanced } = stream("stream_end");
    expect(load).toEqual(booked);
    expect(Math.max(...booked) - Math.min(...booked)).toBeLessThanOrEqual(34);
    expect(balanced).toBeGreaterThan(100);
  });
});
