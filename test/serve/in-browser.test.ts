import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWithBrowser, launchBrowser, seriousProblems, type View } from "../report/browser.js";
import { pointOf, summaryOf, sweepOf } from "../report/sweep-builder.js";
import { SMALL_SWEEP } from "../sweep/sweep-bench.js";
import { newFolder, routedSummary, startSite, writeResult } from "./site.js";

interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Console output, uncaught errors, requests to elsewhere. */
  readonly complaints: readonly string[];
}

describeWithBrowser("pdbench serve in a browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  async function visit(url: string, { width, colorScheme = "light" }: View): Promise<Visit> {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      const asked = request.url();
      if (!asked.startsWith(url) && !asked.startsWith("data:")) complaints.push(asked);
    });
    await page.goto(`${url}/`);
    await page.locator("html[data-ready=true]").waitFor();
    return { page, context, complaints };
  }

  function someResults(): string {
    const folder = newFolder();
    writeResult(join(folder, "runs", "cached"), routedSummary("cache_aware", 2048, { goodput: 9 }), 3);
    writeResult(join(folder, "runs", "plain"), routedSummary("round_robin", 2048, { goodput: 11 }), 2);
    const points = [0, 4096].map((threshold, i) =>
      pointOf(i, { routing_threshold: threshold }, [summaryOf()]),
    );
    writeResult(join(folder, "grid"), sweepOf(points), 1);
    return folder;
  }

  it("lists, filters, sorts, opens and compares, by the keyboard alone", async () => {
    const url = await startSite(someResults());
    const { page, context, complaints } = await visit(url, { width: 1280 });
    const shown = () => page.locator("tbody tr:visible th").allInnerTexts();
    const names = async () => (await shown()).map((text) => text.split("\n")[0]);
    expect(await names()).toEqual(["grid", "runs/plain", "runs/cached"]);

    await page.locator("th", { hasText: "Goodput" }).locator("button").press("Enter");
    expect(await names()).toEqual(["runs/plain", "runs/cached", "grid"]);
    await page.locator("#filter").pressSequentially("run aware");
    expect(await names()).toEqual(["runs/cached"]);
    expect(await page.locator("#shown").innerText()).toBe("1 of 3 results");

    await page.locator("tbody a:visible").press("Enter");
    const report = page.frameLocator("iframe");
    await report.locator("h1", { hasText: /^cached$/ }).waitFor();
    await page.goBack();
    expect(await names()).toEqual(["runs/cached"]);
    expect(await page.locator("#compare").isDisabled()).toBe(true);

    await page.locator("#filter").fill("runs/");
    for (const tick of await page.locator("tbody input:visible").all()) await tick.press("Space");
    expect(await page.locator("#ticked").innerText()).toBe("2 ticked");
    await page.locator("#compare").press("Enter");
    await report.locator("h1", { hasText: "plain and cached" }).waitFor();
    await report.locator("html[data-ready=true]").waitFor();
    expect(await page.title()).toBe("runs/plain and runs/cached - pdbench");
    await page.getByLabel("Compare with").selectOption("cached");
    await page.getByRole("button", { name: "Show" }).press("Enter");
    await report.locator("h3", { hasText: "plain against cached" }).waitFor();
    await page.goBack();
    await page.goBack();
    expect(await page.locator("#ticked").innerText()).toBe("2 ticked");
    expect(complaints).toEqual([]);
    await context.close();
  });

  it("starts a sweep from the form and follows it to its report", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "small.yaml"), SMALL_SWEEP);
    const url = await startSite(folder);
    const { page, context, complaints } = await visit(url, { width: 390 });
    await page.getByRole("link", { name: "start a sweep here" }).click();
    await page.locator("select").selectOption("file:small.yaml");
    await page.getByLabel("Seeds").fill("none");
    await page.locator("#check.worse", { hasText: "--seeds: none" }).waitFor();
    await page.getByLabel("Seeds").fill("1");
    await page.locator("#check:not(.worse)", { hasText: "4 points x 1 seed = 4 runs" }).waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
    expect(await seriousProblems(page, "{ iframes: false }")).toEqual([]);
    await page.getByLabel("Name of the results").fill("tried");
    await page.getByRole("button", { name: "Start the sweep" }).press("Enter");
    await page.locator(".words", { hasText: "all 4 runs are done" }).waitFor();
    expect(await page.evaluate("document.querySelector('progress').position")).toBe(1);
    expect(await seriousProblems(page, "{ iframes: false }")).toEqual([]);
    await page.getByRole("link", { name: "Open the report" }).click();
    await page.frameLocator("iframe").locator("h1", { hasText: "small" }).waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });

  it("fits every width, and has no serious accessibility problem in light or dark", async () => {
    const url = await startSite(someResults());
    const { page, context } = await visit(url, { width: 390, colorScheme: "dark" });
    for (const address of ["/", "/results?of=grid"]) {
      await page.goto(url + address, { waitUntil: "commit" });
      await page.locator("main > :nth-child(2)").waitFor();
      for (const width of [390, 1280, 2560]) {
        await page.setViewportSize({ width, height: 900 });
        expect(await page.evaluate("document.documentElement.scrollWidth"), address).toBeLessThanOrEqual(
          width,
        );
      }
      await page.setViewportSize({ width: 390, height: 900 });
      for (const colorScheme of ["dark", "light"] as const) {
        await page.emulateMedia({ colorScheme });
        expect(await seriousProblems(page, "{ iframes: false }"), `${address} in ${colorScheme}`).toEqual([]);
      }
    }
    await context.close();
  });
});
