/**
 * `npm run pictures`: writes the pictures of the README (docs/images/*.png) from the report of the quickstart sweep, which
 * it runs. Needs Chromium (`PDBENCH_CHROMIUM`, else /usr/bin/chromium) and the build.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium, type Page } from "playwright-core";

const root = fileURLToPath(new URL("..", import.meta.url));
const WIDTH = 900;
const images = join(root, "docs", "images");
const folder = mkdtempSync(join(tmpdir(), "pdbench-pictures-"));

/** The verdict with its figures, and the chart of how sure it is, with its legend. */
async function takePictures(page: Page): Promise<void> {
  const chart = await page.locator("figure[data-chart]").first().boundingBox();
  const legend = await page.locator("ul.legend").first().boundingBox();
  const heading = await page.locator("h2").first().boundingBox();
  if (chart === null || legend === null || heading === null)
    throw new Error("the report has no chart with a legend, expected one below its verdict");
  const clip = { x: 0, y: 0, width: WIDTH, height: Math.floor(heading.y) - 16 };
  await page.screenshot({ path: join(images, "report-verdict.png"), clip });
  const below = { ...chart, y: legend.y, height: chart.y + chart.height - legend.y };
  await page.screenshot({ path: join(images, "report-chart.png"), clip: below, fullPage: true });
}

try {
  mkdirSync(images, { recursive: true });
  const out = join(folder, "quickstart");
  execFileSync(process.execPath, [join(root, "bin", "pdbench.js"), "sweep", "quickstart", "--out", out], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const browser = await chromium.launch({
    executablePath: process.env["PDBENCH_CHROMIUM"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  });
  try {
    const page = await browser.newPage({ viewport: { width: WIDTH, height: 900 }, colorScheme: "light" });
    await page.goto(pathToFileURL(join(out, "report.html")).href);
    await page.locator("figure[data-drawn]").first().waitFor();
    await takePictures(page);
  } finally {
    await browser.close();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
