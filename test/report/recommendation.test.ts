import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors.js";
import { recommend } from "../../src/report/recommendation.js";
import { pointOf, realisticSweep, type SummaryParts, summaryOf, sweepOf } from "./sweep-builder.js";

/** Three seeds that differ by 0, 1 and 2 % and a little of their own. */
function seeds(parts: SummaryParts, own = [0, 0.002, -0.002]) {
  return own.map((shift, i) =>
    summaryOf({ ...parts, goodput: (parts.goodput ?? 3) * (1 + 0.01 * i + shift) }),
  );
}

const always = (parts: SummaryParts) => pointOf(0, { routing_threshold: 0 }, seeds(parts));
const at2048 = (parts: SummaryParts) => pointOf(1, { routing_threshold: 2048 }, seeds(parts, [0, 0, 0]));

describe("a recommendation", () => {
  it("takes the best goodput and says what it gains over always-disaggregate, with the interval", () => {
    const found = recommend(sweepOf([always({ goodput: 3 }), at2048({ goodput: 3.6 })]))!;
    expect(found.verdict).toBe("better");
    expect(found.settings).toEqual({ routing_threshold: 2048 });
    expect(found.words[0]).toMatch(
      /^Disaggregate prompts of 2,048 tokens or more; goodput \+20 % over always-disaggregate, 95 % interval \+19 to \+21 %\.$/,
    );
  });

  it("says so when the baseline is best", () => {
    const found = recommend(sweepOf([always({ goodput: 4 }), at2048({ goodput: 3 })]))!;
    expect(found.verdict).toBe("baseline_is_best");
    expect(found.words[0]).toContain("Always disaggregate: no other point is better");
  });

  it("says that no difference is detectable when the interval of the gain includes 0", () => {
    const noisy = pointOf(1, { routing_threshold: 2048 }, seeds({ goodput: 3.1 }, [0.2, -0.15, 0]));
    const found = recommend(sweepOf([always({ goodput: 3 }), noisy]))!;
    expect(found.verdict).toBe("no_detectable_difference");
    expect(found.words[0]).toMatch(/^No detectable difference from always-disaggregate/);
    expect(found.alike.map(({ index }) => index)).toEqual([0]);
  });

  it("calls no difference detectable whose relative change could be none, which is what it shows", () => {
    const runs = (values: readonly number[]) => values.map((goodput) => summaryOf({ goodput }));
    const point = pointOf(1, { routing_threshold: 2048 }, runs([44, 6.2, 23.8]));
    const found = recommend(sweepOf([pointOf(0, { routing_threshold: 0 }, runs([40, 2, 20])), point]))!;
    expect(found.gain!.absolute.low).toBeGreaterThan(0);
    expect(found.gain!.relative!.low).toBeLessThan(0);
    expect(found.verdict).toBe("no_detectable_difference");
  });

  it("names the first or last value swept as it is", () => {
    const at = (index: number, value: number, goodput: number) =>
      pointOf(index, { "router.cache_threshold": value }, seeds({ goodput }));
    const found = recommend(sweepOf([at(0, 0.1, 4), at(1, 0.3, 3), at(2, 0.5, 2)]))!;
    expect(found.words.join(" ")).toContain("cache_threshold 0.1 is the smallest value swept");
  });

  it("gives no interval from one seed, and says so", () => {
    const points = [0, 2048].map((threshold, i) =>
      pointOf(i, { routing_threshold: threshold }, [summaryOf({ goodput: 3 + i })]),
    );
    const found = recommend(sweepOf(points))!;
    expect(found.verdict).toBe("one_seed");
    expect(found.words[0]).toContain("goodput +33 % over always-disaggregate, one seed, so no interval");
    expect(found.alike).toEqual([]);
  });

  it("states the gain in goodput from one seed even where the score chose among level points", () => {
    const one = (index: number, threshold: number, parts: SummaryParts) =>
      pointOf(index, { routing_threshold: threshold }, [summaryOf(parts)]);
    const found = recommend(
      sweepOf([
        one(0, 0, { goodput: 3 }),
        one(1, 512, { goodput: 3.6 }),
        one(2, 2048, { goodput: 3.599, score: 70 }),
      ]),
    )!;
    expect(found.point.index).toBe(2);
    expect(found.words[0]).toContain("goodput +20 % over always-disaggregate, one seed");
  });

  it("lets the score decide among points level in goodput", () => {
    const found = recommend(
      sweepOf([always({ goodput: 3, score: 50 }), at2048({ goodput: 2.999, score: 60, ttftP50: 200 })]),
    )!;
    expect(found.point.index).toBe(1);
    expect(found.decidedByScore).toBe(true);
    expect(found.words[0]).toContain("score +20 %");
    expect(found.words[1]).toBe(
      "The best points are level in goodput (3.03 requests/s), so the score decided among them.",
    );
  });

  it("says that the objectives are out of reach when no request meets them anywhere", () => {
    const found = recommend(sweepOf([always({ goodput: 0, score: 20 }), at2048({ goodput: 0, score: 30 })]))!;
    expect(found.point.index).toBe(1);
    expect(found.words.join(" ")).toContain("relax the SLO or add workers");
  });

  it("names what gets worse, and only where that is detectable", () => {
    const found = recommend(
      sweepOf([always({ goodput: 3, itlP50: 20 }), at2048({ goodput: 3.6, itlP50: 25, ttftP50: 300 })]),
    )!;
    expect(found.costs.map(({ metric }) => metric.name)).toContain("itl_ms.p90");
    expect(found.benefits.map(({ metric }) => metric.name)).toContain("ttft_ms.p90");
    expect(found.words.join(" ")).toContain("It costs: ITL p90 +25 % (30.0 to 37.5 ms)");
  });

  it("names the point that would win under another objective", () => {
    const found = recommend(
      sweepOf([always({ goodput: 3, itlP50: 20 }), at2048({ goodput: 3.6, itlP50: 25 })]),
    )!;
    expect(found.flips.map(({ metric, point }) => [metric.name, point.index])).toContainEqual([
      "itl_ms.p90",
      0,
    ]);
    expect(found.words.join(" ")).toContain("If ITL p90 mattered most: routing_threshold=0");
  });

  it("compares with the always-disaggregate point that shares the other settings", () => {
    const found = recommend(realisticSweep())!;
    expect(found.settings["policy"]).toBe("cache_aware");
    expect(found.baseline.settings).toEqual({ routing_threshold: 0, policy: "cache_aware" });
  });

  it("compares with the first point where none always disaggregates", () => {
    const points = ["random", "round_robin"].map((policy, i) =>
      pointOf(i, { policy }, seeds({ goodput: 3 + i })),
    );
    const found = recommend(sweepOf(points))!;
    expect(found.baseline.index).toBe(0);
    expect(found.words[0]).toContain("over policy=random");
  });

  it("passes over points with a failed run and names them", () => {
    const failed = pointOf(2, { routing_threshold: 4096 }, [
      ...seeds({ goodput: 9 }).slice(1),
      "out of KV blocks",
    ]);
    const found = recommend(sweepOf([always({ goodput: 3 }), at2048({ goodput: 3.6 }), failed]))!;
    expect(found.point.index).toBe(1);
    expect(found.words.at(-1)).toBe(
      "1 point failed and is left out: routing_threshold=4096 (out of KV blocks).",
    );
  });

  it("passes over points that were stopped early, and does not say that they failed", () => {
    const ended = pointOf(2, { routing_threshold: 4096 }, [
      ...seeds({ goodput: 9 }).slice(1),
      "stopped early",
    ]);
    const runs = ended.runs.map((run) => (run.summary === null ? { ...run, stopped: true as const } : run));
    const found = recommend(sweepOf([always({ goodput: 3 }), at2048({ goodput: 3.6 }), { ...ended, runs }]))!;
    expect(found.point.index).toBe(1);
    expect(found.failures).toEqual([]);
    expect(found.words.at(-1)).toBe(
      "1 point is left out: it was stopped early, since it could no longer reach the attainment asked for " +
        "(routing_threshold=4096).",
    );
  });

  it("is null when no point has a result", () => {
    expect(recommend(sweepOf([pointOf(0, { routing_threshold: 0 }, ["no such profile"])]))).toBeNull();
  });

  it("follows another objective", () => {
    const sweep = sweepOf([always({ goodput: 3, itlP50: 20 }), at2048({ goodput: 3.6, itlP50: 25 })]);
    expect(recommend(sweep, { objective: "itl_ms.p90" })!.point.index).toBe(0);
    expect(recommend(sweep, { objective: "goodput" })!.point.index).toBe(1);
  });

  it("takes a baseline by number or name, and names the nearest for a typing error", () => {
    const sweep = sweepOf([always({ goodput: 3 }), at2048({ goodput: 3.6 })]);
    expect(recommend(sweep, { baseline: "1" })!.baseline.index).toBe(1);
    expect(recommend(sweep, { baseline: "routing_threshold=2048" })!.baseline.index).toBe(1);
    expect(() => recommend(sweep, { baseline: "routing_threshold=2047" })).toThrow(
      /did you mean "routing_threshold=2048"\?/,
    );
    expect(() => recommend(sweep, { objective: "goodptu" })).toThrow(InputError);
  });

  it("is the same words for the same sweep", () => {
    expect(recommend(realisticSweep())!.words).toEqual(recommend(realisticSweep())!.words);
  });
});

describe("a recommendation under several conditions", () => {
  const loaded = (rate: number, threshold: number, goodput: number, index: number) =>
    pointOf(index, { rate, routing_threshold: threshold }, seeds({ goodput }));
  const sweep = sweepOf([
    loaded(10, 0, 9.9, 0),
    loaded(10, 2048, 9, 1),
    loaded(20, 0, 12, 2),
    loaded(20, 2048, 15, 3),
  ]);

  it("compares only points under the same load, and says where the choice flips", () => {
    const found = recommend(sweep)!;
    expect(found.point.index).toBe(3);
    expect(found.baseline.index).toBe(2);
    expect(found.words[0]).toMatch(
      /^At rate 20: disaggregate prompts of 2,048 tokens or more; goodput \+25 %/,
    );
    expect(found.words.at(-1)).toMatch(/^At rate 10: always disaggregate: no other point is better/);
    expect(found.elsewhere.map(({ point }) => point.index)).toEqual([0]);
  });

  it("answers for the condition of the baseline that was asked for", () => {
    expect(recommend(sweep, { baseline: "0" })!.words[0]).toMatch(/^At rate 10: /);
  });

  it("has nothing to choose where only the load was swept", () => {
    const loads = [10, 20].map((rate, i) => pointOf(i, { rate }, seeds({ goodput: rate - 1 })));
    expect(recommend(sweepOf(loads))!.words[0]).toBe(
      "At rate 20: goodput 19.2 requests/s; there is nothing to choose between.",
    );
  });
});

describe("a recommendation at the end of a range", () => {
  const rising = (thresholds: readonly number[]) =>
    sweepOf(
      thresholds.map((threshold, i) =>
        pointOf(i, { routing_threshold: threshold }, seeds({ goodput: 3 + i })),
      ),
    );

  it("says that the best may lie beyond", () => {
    expect(recommend(rising([0, 512, 8192]))!.words).toContain(
      "routing_threshold 8,192 is the largest value swept: larger ones may be better still.",
    );
  });

  it("says nothing of a range of two values, or of a best value inside", () => {
    expect(recommend(rising([0, 8192]))!.edges).toEqual([]);
    expect(recommend(realisticSweep())!.edges).toEqual([]);
  });
});
