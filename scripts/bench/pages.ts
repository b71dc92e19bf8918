import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium, type Browser } from "playwright-core";
import { writeRunDirectory } from "../../src/measure/run-directory.js";
import { readResults } from "../../src/report/read-results.js";
import { reportOn, reportOnSweep, reportText } from "../../src/report/write-report.js";
import { parseScenarioSource } from "../../src/scenario/scenario-source.js";
import { localExecutor } from "../../src/sweep/local-executor.js";
import { loadTrace } from "../../src/sweep/load-trace.js";
import { planRun, planSweep } from "../../src/sweep/plan.js";
import { runScenario } from "../../src/sweep/run-scenario.js";
import { runSweep } from "../../src/sweep/run-sweep.js";
import { median, type BenchCase, type BenchFigures } from "./measure.js";

const OPENINGS = 7;

const RUN = `
name: run
fleet: { prefill: { workers: 4, profile: llama-3.1-8b-h100-tp1-bf16 }, decode: { workers: 4 } }
workload: { generate: { kind: multi_turn_chat, rate: 8 }, requests: 100000 }
router: { policy: cache_aware }
`;

/** 500 points under 3 seeds; what they measured does not matter to how long their page takes. */
const SWEEP = `
name: sweep
fleet: { prefill: { workers: 1, profile: llama-3.1-8b-h100-tp1-bf16 }, decode: { workers: 1 } }
workload: { generate: { kind: multi_turn_chat, rate: 4 }, requests: 60 }
router: { decider: { kind: threshold } }
sweep: { routing_threshold: [THRESHOLDS], policy: [round_robin, least_loaded, cache_aware, random], seeds: 3 }
`.replace("THRESHOLDS", Array.from({ length: 125 }, (_, i) => i * 64).join(", "));

/** The page of a run of 100,000 requests. */
export const runPageOpens: BenchCase = {
  async run() {
    const directory = await mkdtemp(join(tmpdir(), "pdbench-bench-run-"));
    try {
      const { scenario } = planRun(parseScenarioSource(RUN, "bench.yaml"), []).resolution;
      const { run, summary } = runScenario(scenario, await loadTrace(scenario), { requestGaps: true });
      await writeRunDirectory(directory, { run, summary, scenarioYaml: RUN });
      return await opened(await reportText(await reportOn([await readResults(directory)], {}), "html"));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};

/** The page of a sweep of 500 points under 3 seeds. */
export const sweepPageOpens: BenchCase = {
  async run() {
    const sweep = await runSweep(planSweep(parseScenarioSource(SWEEP, "bench.yaml"), [], null), {
      directory: null,
      keepRuns: false,
      execute: localExecutor(2),
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
    return opened(await reportText(reportOnSweep(sweep), "html"));
  },
};

/** How long Chromium takes by the clock from asking for a page until it is laid out and every chart in view is drawn. */
async function opened(html: string): Promise<BenchFigures> {
  const directory = await mkdtemp(join(tmpdir(), "pdbench-bench-page-"));
  const browser = await chromium.launch({
    executablePath: process.env["PDBENCH_CHROMIUM"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  });
  try {
    const path = join(directory, "report.html");
    await writeFile(path, html);
    const all: Opening[] = [];
    for (let i = 0; i < OPENINGS; i++) all.push(await open(browser, pathToFileURL(path).href));
    const wall = all.map(({ wallS }) => wallS);
    return {
      open_wall_s: median(wall),
      open_wall_s_best: Math.min(...wall),
      open_wall_s_worst: Math.max(...wall),
      open_cpu_s: median(all.map(({ cpuS }) => cpuS)),
      megabytes: Buffer.byteLength(html) / 1e6,
      machine_load: loadavg()[0]!,
    };
  } finally {
    await browser.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** What opening a page took: by the clock, and of the page's main thread, where parsing, scripts and drawing happen. */
interface Opening {
  readonly wallS: number;
  readonly cpuS: number;
}

async function open(browser: Browser, url: string): Promise<Opening> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  const startedMs = performance.now();
  await page.goto(url);
  await page.waitForFunction(`document.documentElement.dataset.ready === "true" &&
    [...document.querySelectorAll("figure[data-chart]:not([data-drawn])")]
      .every((figure) => figure.getBoundingClientRect().top > innerHeight)`);
  // Two frames later what was drawn is on the screen.
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
  const wallS = (performance.now() - startedMs) / 1000;
  const { metrics } = await devtools.send("Performance.getMetrics");
  const cpuS = metrics.find(({ name }) => name === "ThreadTime")!.value;
  await page.close();
  return { wallS, cpuS };
}
