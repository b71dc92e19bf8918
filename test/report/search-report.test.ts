import { describe, expect, it } from "vitest";
import { sweepCharts } from "../../src/report/charts/sweep-charts.js";
import { recommend } from "../../src/report/recommendation.js";
import { reportOnSweep, reportText } from "../../src/report/write-report.js";
import { loadOf, ranked, searchOf } from "./search-builder.js";
import { pointOf, summaryOf, sweepOf } from "./sweep-builder.js";

describe("the report of a search", () => {
  const atLoad = (index: number, routing_threshold: number, speedup: number, goodput: number) =>
    pointOf(index, { routing_threshold, speedup }, [summaryOf({ goodput }), summaryOf({ goodput })]);
  const loads = searchOf("max_rate", [
    ranked(2048, loadOf(1.5, 1.6)),
    ranked(4096, loadOf(1.2, 1.4, true)),
    ranked(0, { ...loadOf(null, 0.5), objective: null, attainment: null }),
  ]);
  const atLoads = sweepOf([
    pointOf(0, { routing_threshold: 0, speedup: 0.5 }, ["stopped", "stopped"]),
    atLoad(1, 2048, 1.5, 26),
    atLoad(2, 4096, 1.2, 30),
  ]);

  it("says the largest load, where it ends, what comes next and what to expect there", () => {
    const { recommendation } = reportOnSweep(atLoads, {}, loads);
    expect(recommendation!.settings).toEqual({ routing_threshold: 2048, speedup: 1.5 });
    expect(recommendation!.words.slice(0, 4)).toEqual([
      "routing_threshold=2048 sustains speedup 1.50 (30.0 requests/s) at an SLO attainment of 90.0 % under every seed; " +
        "at 1.60 (32.0 requests/s) it is missed.",
      "Next: routing_threshold=4096 with at least 24.0 requests/s (-20 %).",
      "A point is left once it misses at a load that another one sustains: its own limit may be a little higher than what is given for it.",
      "At that load: goodput 26.0 requests/s, TTFT p90 800 ms, ITL p90 30.0 ms, cache hits 37.0 %.",
    ]);
  });

  it("shows every point with what it sustains, and never compares loads as if they were choices", async () => {
    const html = await reportText(reportOnSweep(atLoads, {}, loads), "html");
    expect(html.match(/<tr/g)).toHaveLength(4);
    expect(html).toMatch(/<td data-value="30">30\.0<\/td>/);
    expect(html).not.toContain("no other point is better");
    expect(html).toContain("--routing-threshold 2048 --speedup 1.5");
  });

  it("calls a value the end of the range only where nothing beyond it was tried", () => {
    const last = sweepOf(
      [1024, 2048, 4096].map((threshold, i) =>
        pointOf(i, { routing_threshold: threshold }, [
          summaryOf({ goodput: 3 + i }),
          summaryOf({ goodput: 3.1 + i }),
        ]),
      ),
    );
    expect(recommend(last)!.edges).toMatchObject([{ value: 4096, end: "largest" }]);
    const { recommendation } = reportOnSweep(last, {}, searchOf("best", [ranked(4096), ranked(2048)]));
    expect(recommendation!.edges).toEqual([]);
    expect(recommendation!.words.at(-1)).toMatch(/^The search took 12 runs/);
  });

  it("recommends what the search found, and says so where nothing reaches the attainment", () => {
    const two = sweepOf([
      pointOf(0, { routing_threshold: 0 }, [summaryOf({ goodput: 5 })]),
      pointOf(1, { routing_threshold: 2048 }, [summaryOf({ goodput: 4 })]),
    ]);
    const { recommendation } = reportOnSweep(two, {}, searchOf("best", [ranked(2048)], false));
    expect(recommendation!.point.index).toBe(1);
    expect(recommendation!.words[0]).toBe(
      "No point of the grid holds an SLO attainment of 90.0 % under every seed.",
    );
    expect(recommendation!.words[1]).toMatch(/^The closest: /);
    const other = reportOnSweep(two, { objective: "ttft_ms.p50" }, searchOf("best", [ranked(2048)], false));
    expect(other.search).toBeUndefined();
  });

  it("prices the cheapest fleet", async () => {
    const fleets = sweepOf([
      pointOf(0, { routing_threshold: 0 }, ["stopped"]),
      pointOf(1, { routing_threshold: 2048 }, [summaryOf()]),
    ]);
    const search = searchOf("cheapest", [
      ranked(2048, { gpus: 7 }),
      ranked(0, { gpus: 6, attainment: null, objective: null }),
    ]);
    const { recommendation } = reportOnSweep(fleets, {}, search);
    expect(recommendation!.words[0]).toBe(
      "7 GPUs will do at an SLO attainment of 90.0 % under every seed: routing_threshold=2048; nothing in the grid is cheaper.",
    );
    const html = await reportText(reportOnSweep(fleets, {}, search), "html");
    expect(html).not.toContain("<figure");
    expect(html).toMatch(/>7<\/td>/);
  });
});

describe("charts of a sweep with gaps", () => {
  it("give every series the colour of the legend, and put numbers in order", () => {
    const points = [
      pointOf(0, { routing_threshold: 4096, policy: "round_robin" }, ["failed"]),
      pointOf(1, { routing_threshold: 4096, policy: "cache_aware" }, [summaryOf()]),
      pointOf(2, { routing_threshold: 512, policy: "round_robin" }, ["failed"]),
      pointOf(3, { routing_threshold: 512, policy: "cache_aware" }, [summaryOf({ goodput: 4 })]),
    ];
    const sweep = sweepOf(points);
    const charts = sweepCharts(sweep, recommend(sweep)!);
    const found = (id: RegExp) => JSON.stringify(charts.find((chart) => id.test(chart.id))!.spec);
    for (const id of [/^gain$/, /^sensitivity-routing-threshold-goodput/, /^pareto$/]) {
      expect(found(id)).toContain('"scale":{"domain":["round_robin","cache_aware"]}');
    }
    expect(found(/^gain$/)).toContain('"sort":["512","4,096"]');
  });
});
