import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { compareRunsSideBySide } from "../../src/report/comparison/compare.js";
import { comparisonPage } from "../../src/report/html/comparison-page.js";
import { runPage } from "../../src/report/html/run-page.js";
import { sweepPage } from "../../src/report/html/sweep-page.js";
import { recommend } from "../../src/report/recommendation.js";
import type { SweepResult } from "../../src/sweep/sweep-result.js";
import { describeWithBrowser, launchBrowser, marksByChart, openReport, type View } from "./browser.js";
import { comparedRun } from "./comparison-builder.js";
import { runReport } from "./run-report-builder.js";
import { pointOf, realisticSweep, summaryOf, sweepOf } from "./sweep-builder.js";

const page = (sweep: SweepResult) => sweepPage(sweep, recommend(sweep));

const DESKTOP: View = { width: 1280, colorScheme: "light" };
const PHONE: View = { width: 390, colorScheme: "dark" };

describeWithBrowser("the HTML report in a browser", () => {
  let browser: Browser;
  let directory: string;
  const write = async (name: string, html: string): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, html);
    return path;
  };

  beforeAll(async () => {
    browser = await launchBrowser();
    directory = await mkdtemp(join(tmpdir(), "pdbench-report-"));
  });
  afterAll(async () => {
    await browser.close();
    await rm(directory, { recursive: true, force: true });
  });

  const pages: readonly (readonly [string, () => Promise<string>, number, readonly View[]])[] = [
    ["a sweep", () => page(realisticSweep()), 15, [DESKTOP, PHONE]],
    ["a sweep with one seed", () => page(realisticSweep([0, 4096], 1)), 15, [PHONE]],
    [
      "two runs side by side",
      () => {
        const slower = comparedRun("after", { later: (i) => (i % 7) - 2 });
        return comparisonPage(compareRunsSideBySide([comparedRun("before"), slower]));
      },
      8,
      [PHONE],
    ],
    ["a single point", () => page(sweepOf([pointOf(0, {}, [summaryOf()])])), 4, [DESKTOP]],
    ["one run", () => runPage(runReport()), 10, [DESKTOP, PHONE]],
  ];

  it.each(pages)("draws every chart of %s, and nothing sticks out", async (name, make, charts, views) => {
    const path = await write(`${name.replaceAll(" ", "-")}.html`, await make());
    for (const view of views) {
      const { page: drawn, complaints, requests } = await openReport(browser, path, view);
      const marks = await marksByChart(drawn);
      expect(Object.keys(marks)).toHaveLength(charts);
      expect(Object.entries(marks).filter(([, count]) => count === 0)).toEqual([]);
      expect(complaints).toEqual([]);
      expect(requests).toEqual([]);
      expect(await drawn.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(view.width);
      await drawn.context().close();
    }
  });

  it("can be read without JavaScript: the verdict and the table are there", async () => {
    const path = await write("plain.html", await page(realisticSweep()));
    const { page: plain } = await openReport(browser, path, { width: 390, javaScript: false });
    expect(await plain.textContent(".verdict")).toContain("Disaggregate prompts of 2,048 tokens or more");
    expect(await plain.locator("table tbody tr").count()).toBe(21);
    await plain.context().close();
  });

  it("shows settings and figures of a point under the pointer", async () => {
    const path = await write("hover.html", await page(realisticSweep([0, 2048])));
    const { page: hovered } = await openReport(browser, path, { width: 1280 });
    await hovered.locator("#pareto .mark-symbol path").nth(4).hover({ force: true });
    const text = await hovered.textContent("#tooltip");
    expect(text).toMatch(/point: routing_threshold=\d+ policy=\w+/);
    expect(text).toMatch(/TTFT p90: [\d,.]+ ms/);
    await hovered.context().close();
  });

  it("sorts the table by a column, numbers as numbers", async () => {
    const path = await write("sort.html", await page(realisticSweep([0, 2048])));
    const { page: sorted } = await openReport(browser, path, { width: 1280 });
    const header = sorted.locator("table.sortable th", { hasText: "TTFT p90" });
    await header.locator("button").click();
    expect(await header.getAttribute("aria-sort")).toBe("ascending");
    const values = await sorted.evaluate<number[]>(
      "[...document.querySelectorAll('table.sortable tbody tr')].map((row) => Number(row.cells[6].dataset.value))",
    );
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    await sorted.context().close();
  });

  it("redraws in the other colours when the system turns dark", async () => {
    const path = await write("dark.html", await page(realisticSweep([0, 2048])));
    const { page: turning } = await openReport(browser, path, { width: 1280 });
    const colour = "document.querySelector('#pareto .mark-symbol path').getAttribute('fill')";
    const light = await turning.evaluate<string>(colour);
    await turning.emulateMedia({ colorScheme: "dark" });
    await turning.waitForFunction(`${colour} !== ${JSON.stringify(light)}`);
    await turning.context().close();
  });

  it("draws a sweep of 500 points, in less than 3 MB", async () => {
    const thresholds = Array.from({ length: 167 }, (_, i) => i * 100);
    const html = await page(realisticSweep(thresholds));
    expect(Buffer.byteLength(html)).toBeLessThan(3e6);
    const { page: large, complaints } = await openReport(browser, await write("large.html", html), DESKTOP);
    expect(Math.min(...Object.values(await marksByChart(large)))).toBeGreaterThan(0);
    expect(complaints).toEqual([]);
    await large.context().close();
  });

  it("has no serious accessibility problem", async () => {
    const { default: axe } = await import("axe-core");
    const path = await write("axe.html", await page(realisticSweep([0, 2048])));
    for (const colorScheme of ["light", "dark"] as const) {
      const { page: checked } = await openReport(browser, path, { width: 1280, colorScheme });
      await checked.evaluate(axe.source);
      const violations = await checked.evaluate<{ id: string; impact: string; nodes: { html: string }[] }[]>(
        "axe.run({ exclude: ['.plot'] }).then(({ violations }) => violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(({ html }) => ({ html })) })))",
      );
      const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      expect(serious).toEqual([]);
      await checked.context().close();
    }
  });
});
