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
import { reportOnSweep, reportText } from "../../src/report/write-report.js";
import type { SweepResult } from "../../src/sweep/sweep-result.js";
import {
  describeWithBrowser,
  drawAll,
  launchBrowser,
  marksByChart,
  openReport,
  seriousProblems,
  type View,
} from "./browser.js";
import { comparedRun } from "./comparison-builder.js";
import { runReport } from "./run-report-builder.js";
import { loadOf, ranked, searchOf } from "./search-builder.js";
import { pointOf, realisticSweep, summaryOf, sweepOf } from "./sweep-builder.js";

const page = (sweep: SweepResult) => sweepPage(sweep, recommend(sweep));

const DESKTOP: View = { width: 1280, colorScheme: "light" };
/** Charts are drawn by Vega, and described by the figures around them. */
const NOT_PLOTS = "{ exclude: ['.plot'] }";
const PHONE: View = { width: 390, colorScheme: "dark" };

describeWithBrowser("the HTML report in a browser", () => {
  let browser: Browser;
  let directory: string;
  const write = async (name: string, html: string | Promise<string>): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, await html);
    return path;
  };
  /** Written once each; every test opens them anew. */
  let wholeSweep: string;
  let smallSweep: string;
  let oneRun: string;

  beforeAll(async () => {
    browser = await launchBrowser();
    directory = await mkdtemp(join(tmpdir(), "pdbench-report-"));
    wholeSweep = await write("whole-sweep.html", await page(realisticSweep()));
    smallSweep = await write("small-sweep.html", await page(realisticSweep([0, 2048])));
    oneRun = await write("one-run.html", await runPage(runReport()));
  });
  afterAll(async () => {
    await browser.close();
    await rm(directory, { recursive: true, force: true });
  });

  const pages: readonly (readonly [string, () => string | Promise<string>, number, readonly View[]])[] = [
    ["a sweep", () => wholeSweep, 15, [DESKTOP, PHONE]],
    ["a sweep with one seed", () => write("one-seed.html", page(realisticSweep([0, 4096], 1))), 15, [PHONE]],
    [
      "two runs side by side",
      () => {
        const slower = comparedRun("after", { later: (i) => (i % 7) - 2 });
        return write("two-runs.html", comparisonPage(compareRunsSideBySide([comparedRun("before"), slower])));
      },
      8,
      [PHONE],
    ],
    [
      "a single point",
      () => write("point.html", page(sweepOf([pointOf(0, {}, [summaryOf()])]))),
      4,
      [DESKTOP],
    ],
    ["one run", () => oneRun, 14, [DESKTOP, PHONE]],
    [
      "a search for the largest load",
      () => {
        const points = [ranked(2048, loadOf(1.5, 1.6)), ranked(0, loadOf(null, 0.5))];
        const sweep = sweepOf([
          pointOf(0, { routing_threshold: 0, speedup: 0.5 }, ["stopped"]),
          pointOf(1, { routing_threshold: 2048, speedup: 1.5 }, [summaryOf()]),
        ]);
        const report = reportOnSweep(sweep, {}, searchOf("max_rate", points));
        return write("search.html", reportText(report, "html"));
      },
      1,
      [DESKTOP, PHONE],
    ],
  ];

  it.each(pages)("draws every chart of %s, and nothing sticks out", async (_, pathOf, charts, views) => {
    const path = await pathOf();
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
    const { page: plain } = await openReport(browser, wholeSweep, { width: 390, javaScript: false });
    expect(await plain.textContent(".verdict")).toContain("Disaggregate prompts of 2,048 tokens or more");
    expect(await plain.locator("table tbody tr").count()).toBe(21);
    await plain.context().close();
  });

  it("shows a point under the pointer, and selects it in every chart and the table at once", async () => {
    const { page: hovered } = await openReport(browser, smallSweep, { width: 1280 });
    const mark = hovered.locator("#pareto .mark-symbol path").nth(4);
    await mark.hover({ force: true });
    const text = await hovered.textContent("#tooltip");
    expect(text).toMatch(/point: routing_threshold=\d+ policy=\w+/);
    expect(text).toMatch(/TTFT p90: [\d,.]+ ms/);
    await mark.click({ force: true });
    const [point] = /routing_threshold=\d+ policy=\w+?(?=TTFT)/.exec(text!)!;
    expect(await hovered.textContent("#selection .name")).toBe(point);
    expect(await hovered.textContent("#selection code")).toMatch(/^--routing-threshold \d+ --policy \w+$/);
    expect(await hovered.getAttribute("tr.selected", "data-point")).toBe(point);
    const picked =
      "new Set([...document.querySelectorAll('.picked')].map((mark) => mark.closest('figure').id)).size";
    expect(await hovered.evaluate(picked)).toBeGreaterThan(5);
    await hovered.keyboard.press("Escape");
    expect(await hovered.locator("tr.selected, .picked, .dimmed").count()).toBe(0);
    await hovered.locator("button.pick").nth(2).press("Enter");
    expect(await hovered.evaluate(picked)).toBeGreaterThan(5);
    await hovered.context().close();
  });

  it("names the ringed points beside each other and clear of the axis, on a phone", async () => {
    const { page: phone } = await openReport(browser, wholeSweep, PHONE);
    const boxes = await phone.evaluate<Record<"left" | "right" | "top" | "bottom", number>[]>(
      `[...document.querySelectorAll("#pareto .mark-text text, #pareto .role-axis-label text")]
        .filter((text) => !text.hasAttribute("stroke") && text.getAttribute("opacity") !== "0")
        .map((text) => { const { left, right, top, bottom } = text.getBoundingClientRect(); return { left, right, top, bottom }; })`,
    );
    expect(boxes.length).toBeGreaterThan(6);
    const overlaps = boxes.flatMap((a, i) =>
      boxes
        .slice(i + 1)
        .filter((b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom),
    );
    expect(overlaps).toEqual([]);
    await phone.context().close();
  });

  it("marks one time in every chart over time, and follows a worker through them", async () => {
    const { page: run } = await openReport(browser, oneRun, DESKTOP);
    const left = (figure: string, mark: string) =>
      run.evaluate<number>(`document.querySelector("#${figure} ${mark}").getBoundingClientRect().left`);
    const cell = run.locator("#timeline-sent-prefill .mark-rect path").nth(40);
    await cell.hover({ force: true });
    const moments = run.locator(".moment");
    expect(await moments.count()).toBe(10);
    const figures = ["branches", "sent", "running", "waiting", "kv-use"].map(
      (one) => `timeline-${one}-prefill`,
    );
    const places = await Promise.all(figures.map((figure) => left(figure, ".moment")));
    expect(Math.max(...places) - Math.min(...places)).toBeLessThan(1);
    expect(new Set(await run.locator(".moment span").allTextContents()).size).toBe(1);
    await cell.click({ force: true });
    const followed = await run.evaluate<string[]>(
      "[...document.querySelectorAll('.followed')].map((mark) => mark.closest('figure').id)",
    );
    expect([...new Set(followed)]).toEqual(figures.slice(1));
    await run.keyboard.press("Escape");
    expect(await run.locator(".followed, .unfollowed").count()).toBe(0);
    await run.context().close();
  });

  it("sorts the table by a column, numbers as numbers", async () => {
    const { page: sorted } = await openReport(browser, smallSweep, { width: 1280, asOpened: true });
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
    const { page: turning } = await openReport(browser, smallSweep, { width: 1280, asOpened: true });
    await turning.locator("#pareto").scrollIntoViewIfNeeded();
    await turning.locator("#pareto[data-drawn]").waitFor();
    const colour = "document.querySelector('#pareto .mark-symbol path').getAttribute('fill')";
    const light = await turning.evaluate<string>(colour);
    await turning.emulateMedia({ colorScheme: "dark" });
    await turning.waitForFunction(`${colour} !== ${JSON.stringify(light)}`);
    await turning.context().close();
  });

  it("is printed whole, on white and in the width of the paper, from a dark screen", async () => {
    const { page: dark } = await openReport(browser, smallSweep, { ...PHONE, asOpened: true });
    const state = () =>
      dark.evaluate<{ waiting: number; label: string; widths: number[] }>(`({
        waiting: document.querySelectorAll("figure[data-chart]:not([data-drawn])").length,
        label: document.querySelector("#pareto .role-axis-label text")?.getAttribute("fill"),
        widths: [...document.querySelectorAll(".plot svg")].map((svg) => Number(svg.getAttribute("width"))),
      })`);
    await dark.evaluate("dispatchEvent(new Event('beforeprint'))");
    const printed = await state();
    expect(printed).toMatchObject({ waiting: 0, label: "#55616e" });
    // Charts that stand alone have the whole width of the paper, pairs half of it.
    expect([...new Set(printed.widths)].sort()).toEqual([316, 660]);
    await dark.evaluate("dispatchEvent(new Event('afterprint'))");
    const after = await state();
    expect(after.label).toBe("#a3afbc");
    expect(Math.max(...after.widths)).toBeLessThan(390);
    await dark.context().close();
  });

  it("draws a sweep of 500 points, in less than 3 MB", async () => {
    const thresholds = Array.from({ length: 167 }, (_, i) => i * 100);
    const html = await page(realisticSweep(thresholds));
    expect(Buffer.byteLength(html)).toBeLessThan(3e6);
    const path = await write("large.html", html);
    const { page: large, complaints } = await openReport(browser, path, { ...DESKTOP, asOpened: true });
    const waiting = "document.querySelectorAll('figure[data-chart]:not([data-drawn])').length";
    expect(await large.evaluate(waiting)).toBeGreaterThan(5);
    await drawAll(large);
    expect(Math.min(...Object.values(await marksByChart(large)))).toBeGreaterThan(0);
    expect(complaints).toEqual([]);
    await large.context().close();
  });

  it("tells the story of a request that was searched for, by keyboard", async () => {
    const { page: run } = await openReport(browser, oneRun, {
      width: 1280,
      colorScheme: "dark",
      asOpened: true,
    });
    const rows = run.locator("#request-browser tbody tr");
    expect(await rows.count()).toBe(25);
    await run.fill("#request-search", "prefill-1 prompt<118");
    expect(await run.textContent("#request-browser .pager")).toContain("of ");
    const ids = await run.evaluate<number[]>(
      "[...document.querySelectorAll('#request-browser tbody tr')].map((row) => Number(row.cells[0].textContent))",
    );
    expect(ids.every((id) => id < 18 && id % 2 === 1)).toBe(true);
    await run.locator("#request-browser th button", { hasText: "request" }).first().press("Enter");
    await run.locator("#request-browser th button", { hasText: "request" }).first().press("Enter");
    await rows.first().locator("button").press("Enter");
    const story = await run.textContent(".story");
    expect(story).toMatch(/^Request 17queue: [\d.]+ msprefill: .*KV transfer: .*decode: /);
    expect(story).toContain("prefill-1 by cache_aware, branch cache_hit (match_rate 0.85)");
    expect(await seriousProblems(run, NOT_PLOTS)).toEqual([]);
    await run.emulateMedia({ media: "print" });
    expect(await run.locator(".story").isVisible()).toBe(true);
    expect(await run.locator("#request-browser table").isVisible()).toBe(false);
    await run.emulateMedia({ media: "screen" });
    await run.keyboard.press("Escape");
    expect(await run.locator(".story").isVisible()).toBe(false);
    await run.emulateMedia({ media: "print" });
    expect(await run.locator("#request-section").isVisible()).toBe(false);
    await run.context().close();
  });

  it("has no serious accessibility problem", async () => {
    const { page: checked } = await openReport(browser, smallSweep, { width: 1280, asOpened: true });
    expect(await seriousProblems(checked, NOT_PLOTS)).toEqual([]);
    await checked.context().close();
  });
});
