import { parse } from "csv-parse/sync";
import { describe, expect, it } from "vitest";
import { metricNamed } from "../../src/report/metrics.js";
import { statisticsOf } from "../../src/report/point-statistics.js";
import { reportCsv } from "../../src/report/report-csv.js";
import { recommend } from "../../src/report/recommendation.js";
import { pointOf, realisticSweep, summaryOf, sweepOf } from "./sweep-builder.js";

const rowsOf = (text: string): Record<string, string>[] => parse(text, { columns: true });

describe("the CSV form of a report", () => {
  const sweep = realisticSweep();
  const rows = rowsOf(reportCsv(sweep, recommend(sweep)));

  it("has a row per point with its settings, in grid order", () => {
    expect(rows.map((row) => Number(row["point"]))).toEqual(sweep.points.map(({ index }) => index));
    expect(rows[5]).toMatchObject({
      routing_threshold: "512",
      policy: "cache_aware",
      seeds: "3",
      failed: "0",
    });
  });

  it("writes marks as true and false", () => {
    expect(rows.filter((row) => row["recommended"] === "true")).toHaveLength(1);
    expect(rows.filter((row) => row["recommended"] === "false")).toHaveLength(20);
    expect(rows.some((row) => row["on_pareto_front"] === "true")).toBe(true);
  });

  it("holds the very means and intervals of the report", () => {
    const statistics = statisticsOf(sweep.points[5]!, metricNamed("ttft_ms.p90"))!;
    expect(Number(rows[5]!["ttft_ms_p90"])).toBe(statistics.mean);
    expect(Number(rows[5]!["ttft_ms_p90_low"])).toBe(statistics.low);
    expect(Number(rows[5]!["ttft_ms_p90_high"])).toBe(statistics.high);
  });

  it("leaves figures of failed points and intervals of one seed empty", () => {
    const points = [
      pointOf(0, { policy: null }, ["out of memory"]),
      pointOf(1, { policy: true }, [summaryOf({ goodput: 2 })]),
    ];
    const [failed, single] = rowsOf(reportCsv(sweepOf(points), null));
    expect(failed).toMatchObject({ policy: "null", seeds: "0", failed: "1", goodput_requests_per_s: "" });
    expect(single).toMatchObject({
      policy: "true",
      goodput_requests_per_s: "2",
      goodput_requests_per_s_low: "",
    });
  });
});
