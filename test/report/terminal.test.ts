import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { recommend } from "../../src/report/recommendation.js";
import { renderSummary } from "../../src/report/render-summary.js";
import { renderSweepTable } from "../../src/report/render-sweep-table.js";
import { terminalOptionsOf } from "../../src/report/terminal-style.js";
import { bar, sparkline } from "../../src/report/terminal-charts.js";
import { renderRunCharts } from "../../src/report/render-run-charts.js";
import { runReport } from "./run-report-builder.js";
import { pointOf, realisticSweep, summaryOf, sweepOf } from "./sweep-builder.js";

const longest = (text: string) =>
  Math.max(
    ...stripVTControlCharacters(text)
      .split("\n")
      .map((line) => line.length),
  );

describe("the table of a sweep", () => {
  const sweep = realisticSweep();
  const recommendation = recommend(sweep);

  it.each([100, 80, 72])("fits %i columns", (width) => {
    const text = renderSweepTable(sweep, recommendation, { width, colour: true });
    expect(longest(text)).toBeLessThanOrEqual(width);
  });

  it("has units, percentiles, one line a point, and ends in the recommendation in words", () => {
    const text = renderSweepTable(sweep, recommendation);
    expect(text).toMatch(/TTFT ms .* ITL ms/);
    expect(text).toMatch(/p50 +p90 +p99 +p50 +p90/);
    expect(text.match(/cache_aware {2}/g)).toHaveLength(7);
    const words = text.slice(text.indexOf("Disaggregate prompts")).replaceAll(/\n(- | {2})?/g, " ");
    for (const sentence of recommendation!.words) expect(words).toContain(sentence);
  });

  it("marks the recommended point and the baseline", () => {
    const lines = renderSweepTable(sweep, recommendation).split("\n");
    expect(lines.filter((line) => line.startsWith(">"))[0]).toContain("2,048  cache_aware");
    expect(lines.filter((line) => line.startsWith("="))[0]).toContain("0  cache_aware");
  });

  it("shows the best points of a large sweep and says how many more there are", () => {
    const large = realisticSweep(Array.from({ length: 60 }, (_, i) => i * 256));
    const found = recommend(large);
    const text = renderSweepTable(large, found);
    expect(text).toContain("140 more points in points.csv");
    expect(text).toMatch(/^> /m);
    expect(text).toMatch(/^= /m);
  });

  it("says which points failed, and has no recommendation when all did", () => {
    const failed = sweepOf([pointOf(0, { policy: "random" }, ["0 workers"])]);
    const text = renderSweepTable(failed, recommend(failed));
    expect(text).toContain("failed");
    expect(text).toContain("No recommendation: no point has a result.");
  });

  it("has no escape codes without colour", () => {
    const text = renderSweepTable(sweep, recommendation);
    expect(stripVTControlCharacters(text)).toBe(text);
    expect(renderSweepTable(sweep, recommendation, { colour: true })).not.toBe(text);
  });
});

describe("the summary of a run", () => {
  it.each([100, 80, 64])("fits %i columns", (width) => {
    expect(longest(renderSummary(summaryOf(), { width, colour: true }))).toBeLessThanOrEqual(width);
  });

  it("leaves out what only the engines of a live run know, and keeps what the client counted", () => {
    const summary = summaryOf();
    const workers = summary.workers.map((worker) => ({
      ...worker,
      ...{ utilization: 0, max_running: 0, max_waiting: 0, kv_peak: 0, preemptions: 0 },
    }));
    const row = /prefill-0 +(\d+) +- +- +- +- +37\.0 % +-$/m;
    expect(renderSummary({ ...summary, workers })).toMatch(row);
    expect(renderSummary(summary)).not.toMatch(row);
  });

  it("states latencies, objectives, hit rates and every worker", () => {
    const text = renderSummary(summaryOf({ ttftP50: 412 }));
    expect(text).toMatch(/TTFT +474 +412 /);
    expect(text).toContain("90.0 % of requests meet TTFT <= 2,000 ms and TPOT <= 50 ms");
    expect(text).toContain("37.0 % of prompt tokens");
    expect(text).toContain("decode-1");
  });

  it("does not claim a hit rate of 0 where prefixes are not known", () => {
    expect(renderSummary(summaryOf({ hitRate: null }))).toContain("unknown: the workload has no block ids");
  });
});

describe("colour", () => {
  it.each([
    ["a terminal", { isTTY: true, columns: 120 }, {}, true],
    ["a pipe", {}, {}, false],
    ["NO_COLOR", { isTTY: true }, { NO_COLOR: "1" }, false],
    ["an empty NO_COLOR", { isTTY: true }, { NO_COLOR: "" }, true],
    ["a dumb terminal", { isTTY: true }, { TERM: "dumb" }, false],
  ])("with %s", (_name, stream, environment, expected) => {
    expect(terminalOptionsOf(stream, environment).colour).toBe(expected);
  });
});

describe("small charts", () => {
  const ascii = /^[\n -~]*$/;

  it("are from 0 to the largest, and blank where there is nothing", () => {
    expect(sparkline([0, 1, 2, 4, Number.NaN, 8], { unicode: true })).toBe("▁▂▃▅ █");
    expect(sparkline([0, 4, 8], { unicode: false })).toBe("_=#");
    expect(sparkline([0, 0], { unicode: true })).toBe("▁▁");
    expect(bar(0.5, 5, { unicode: true })).toBe("██▌");
    expect(bar(1.2, 4, { unicode: false })).toBe("####");
  });

  it("show a run at a glance within 80 columns", () => {
    const text = renderRunCharts(runReport(), { width: 80, unicode: true });
    expect(text).toMatch(/^TTFT p90 {9}[▁-█ ]{30} {2}\d+ to [\d,]+ ms$/m);
    expect(text).toMatch(/^decode waiting /m);
    expect(text).toMatch(/^TTFT spread .* \(log axis\)$/m);
    expect(longest(text)).toBeLessThanOrEqual(80);
    expect(renderRunCharts(runReport({ requests: null, timeline: null }))).toBe("");
  });

  it("are plain characters unless the locale is UTF-8", () => {
    const sweep = realisticSweep();
    for (const environment of [{}, { LANG: "C" }, { LANG: "de_DE.UTF-8", LC_ALL: "POSIX" }]) {
      const options = terminalOptionsOf({}, environment);
      expect(options.unicode).toBe(false);
      expect(ascii.test(renderRunCharts(runReport(), options))).toBe(true);
      expect(ascii.test(renderSweepTable(sweep, recommend(sweep), options))).toBe(true);
    }
    expect(terminalOptionsOf({}, { LC_CTYPE: "C.utf8" }).unicode).toBe(true);
    expect(renderSweepTable(sweep, recommend(sweep), { width: 100, unicode: true })).toMatch(/█{7}/);
  });
});
