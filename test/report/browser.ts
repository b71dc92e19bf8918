import { existsSync } from "node:fs";
import { chromium, type Browser, type Page } from "playwright-core";
import { describe, it } from "vitest";

const CHROMIUM = process.env["PDBENCH_CHROMIUM"] ?? "/usr/bin/chromium";

const ARGUMENTS = [
  "--no-sandbox",
  "--headless",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // A page lives for a second or two: code that is optimised for it costs more than it gives.
  "--js-flags=--no-opt,--no-maglev",
];

/**
 * A group of tests that need Chromium. Skipped where it is not installed; fails instead when
 * `PDBENCH_REQUIRE_ALL=1` (as in CI).
 */
export function describeWithBrowser(name: string, body: () => void): void {
  if (existsSync(CHROMIUM)) {
    describe(name, body);
  } else if (process.env["PDBENCH_REQUIRE_ALL"] === "1") {
    describe(name, () => {
      it("finds Chromium", () => {
        throw new Error(`PDBENCH_REQUIRE_ALL=1, but ${CHROMIUM} is missing`);
      });
    });
  } else {
    describe.skip(`${name} (skipped: ${CHROMIUM} is not installed)`, body);
  }
}

/** Starts Chromium; the caller closes it. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
}

/** How a page is looked at. */
export interface View {
  readonly width: number;
  readonly colorScheme?: "light" | "dark";
  readonly javaScript?: boolean;
  /** Charts are drawn when they come near the screen: leave it at those. Default: draw all, as before printing. */
  readonly asOpened?: true;
}

/** An open page and what it did that a report must not do. */
export interface OpenPage {
  readonly page: Page;
  /** Console output and uncaught errors. */
  readonly complaints: string[];
  /** Addresses requested beside the file itself. */
  readonly requests: string[];
}

/** Opens a report from `file://`, has all its charts drawn, and waits for that. */
export async function openReport(browser: Browser, path: string, view: View): Promise<OpenPage> {
  const { width, colorScheme = "light", javaScript = true } = view;
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme,
    javaScriptEnabled: javaScript,
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (request.url() !== `file://${path}` && !request.url().startsWith("data:"))
      requests.push(request.url());
  });
  await page.goto(`file://${path}`);
  if (!javaScript) return { page, complaints, requests };
  await page.waitForFunction("document.documentElement.dataset.ready === 'true'");
  if (view.asOpened !== true) await drawAll(page);
  return { page, complaints, requests };
}

/** Has the charts drawn that are far from the screen too: printing does, and leaves them as they are on the screen. */
export async function drawAll(page: Page): Promise<void> {
  await page.evaluate("['beforeprint', 'afterprint'].forEach((name) => dispatchEvent(new Event(name)))");
  await page.waitForFunction("document.querySelector('figure[data-chart]:not([data-drawn])') === null");
}

/** Ids of the page's charts, each with the number of marks drawn in it. */
export async function marksByChart(page: Page): Promise<Record<string, number>> {
  return page.evaluate<Record<string, number>>(`Object.fromEntries(
    [...document.querySelectorAll("figure[data-chart]")].map((figure) => [
      figure.id,
      [...figure.querySelectorAll(".plot [aria-roledescription$='mark'], .plot .role-mark > *")]
        .filter((mark) => mark.getBBox().width + mark.getBBox().height > 0).length,
    ]),
  )`);
}

/**
 * What axe-core finds serious or critical in a page, with the elements concerned.
 *
 * @param options Arguments of `axe.run`, as JavaScript.
 */
export async function seriousProblems(page: Page, options: string): Promise<object[]> {
  const { default: axe } = await import("axe-core");
  await page.evaluate(axe.source);
  const violations = await page.evaluate<{ id: string; impact: string; nodes: string[] }[]>(
    `axe.run(${options}).then(({ violations }) => violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(({ html }) => html) })))`,
  );
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical");
}
