import { describe, expect, it } from "vitest";
import { sweepPage } from "../../src/report/html/sweep-page.js";
import { recommend } from "../../src/report/recommendation.js";
import type { SweepResult } from "../../src/sweep/sweep-result.js";
import { pointOf, realisticSweep, summaryOf, sweepOf } from "./sweep-builder.js";

const page = (sweep: SweepResult) => sweepPage(sweep, recommend(sweep));

describe("the HTML report", () => {
  it("begins with the verdict in words and lists every point", async () => {
    const sweep = realisticSweep();
    const html = await page(sweep);
    expect(html.indexOf(recommend(sweep)!.words[0]!)).toBeLessThan(html.indexOf("<figure"));
    expect(html.match(/<tr/g)).toHaveLength(1 + sweep.points.length);
    expect(html.includes("--routing-threshold 2048 --policy cache_aware")).toBe(true);
    expect(html.includes(sweep.workload_hash)).toBe(true);
  });

  it("names nothing outside itself that a browser would fetch", async () => {
    const html = await page(realisticSweep());
    const [style] = /<style>.*?<\/style>/s.exec(html)!;
    expect(/<(script|img|iframe|link)[^>]+(src|href)=["'](?!data:)/.exec(html)).toBeNull();
    expect(/@import|url\(/.exec(style)).toBeNull();
    expect(html.includes("sourceMappingURL")).toBe(false);
  });

  it("keeps markup in names from becoming markup of the page", async () => {
    const evil = `</script><script>alert("x")</script>&'`;
    const sweep = sweepOf(
      [pointOf(0, { policy: evil }, [summaryOf()]), pointOf(1, { policy: "b" }, ["<b>failed</b>"])],
      { name: evil },
    );
    const html = await page(sweep);
    expect(html.includes("<script>alert")).toBe(false);
    expect(html.includes("<b>failed")).toBe(false);
  });

  it("is the same bytes for the same sweep", async () => {
    expect((await page(realisticSweep())) === (await page(realisticSweep()))).toBe(true);
  });

  it("stays below 3 MB with 500 points of 3 seeds", async () => {
    const thresholds = Array.from({ length: 167 }, (_, i) => i * 100);
    expect((await page(realisticSweep(thresholds))).length).toBeLessThan(3e6);
  });

  it("says that there is no recommendation when every point failed", async () => {
    const html = await page(sweepOf([pointOf(0, { policy: "a" }, ["no KV blocks"])]));
    expect(html.includes("No recommendation: no point has a result.")).toBe(true);
    expect(html.includes("<figure")).toBe(false);
  });
});
