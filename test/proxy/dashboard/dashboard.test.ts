import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DashboardDocument } from "../../../src/proxy/dashboard/dashboard-state.js";
import { describeWithBrowser, launchBrowser } from "../../report/browser.js";
import { post, startFleet, until, type Fleet } from "../support/fleet.js";
import {
  eventsOf,
  likeVllm,
  sendJson,
  type Script,
  type ScriptedEngine,
} from "../support/scripted-engine.js";

const STREAM = { prompt: "hello", max_tokens: 3, stream: true };

/** An engine that also says of itself what vLLM's /metrics says. */
function withMetrics(kvUsage: number, script: Script = likeVllm): Script {
  return (request, res) => {
    if (request.url !== "/metrics") return script(request, res);
    res.writeHead(200, { "content-type": "text/plain" });
    res.end(
      `vllm:num_requests_running{engine="0"} 3\nvllm:num_requests_waiting{engine="0"} 1\nvllm:kv_cache_usage_perc{engine="0"} ${kvUsage}\n`,
    );
  };
}

/** Holds a stream after its first token until `finish` is called. */
function holding(engine: ScriptedEngine, kvUsage: number): () => void {
  let finish = (): void => undefined;
  engine.script = withMetrics(kvUsage, (_, res) => {
    res.writeHead(200, { "content-type": "text/event-stream" });
    const [first, ...rest] = eventsOf(false, 3);
    res.write(first);
    finish = () => res.end(`${rest.join("")}data: [DONE]\n\n`);
  });
  return () => finish();
}

async function stateOf({ url }: Fleet): Promise<DashboardDocument> {
  return (await (await fetch(`${url}/dashboard/state`)).json()) as DashboardDocument;
}

describe("GET /dashboard/state", () => {
  it("counts requests by what became of them, and decisions by branch", async () => {
    const fleet = await startFleet();
    await (await post(`${fleet.url}/v1/completions`, STREAM)).text();
    fleet.decode[0]!.script = (_, res) => sendJson(res, 503, "{}");
    await (await post(`${fleet.url}/v1/completions`, STREAM)).text();
    await (await post(`${fleet.url}/v1/completions`, { ...STREAM, n: 2 })).text();
    const state = await stateOf(fleet);
    expect(state.requests).toEqual({
      total: 3,
      open: 0,
      completed: 1,
      failed: 0,
      retryable: 2,
      cancelled: 0,
      disaggregated: 2,
      decode_only: 1,
      rejected: 0,
    });
    expect(state.decisions).toContainEqual({ branch: "decider.at_or_above_threshold", count: 2 });
    expect(state.workers.map(({ leg, legs }) => [leg, legs])).toEqual([
      ["prefill", 2],
      ["decode", 3],
    ]);
  });

  it("shows open legs, latencies by worker, and what engines say of themselves", async () => {
    const fleet = await startFleet({ decode: 2, router: { policy: "round_robin" } });
    fleet.prefill[0]!.script = withMetrics(0.5);
    const finish = holding(fleet.decode[0]!, 0.25);
    const response = await post(`${fleet.url}/v1/completions`, STREAM);
    await stateOf(fleet);
    await until(() => fleet.decode[0]!.seen.some(({ url }) => url === "/metrics"));
    await until(() => fleet.prefill[0]!.seen.some(({ url }) => url === "/metrics"));
    let state = await stateOf(fleet);
    while (state.workers[1]!.engine === null) state = await stateOf(fleet);
    expect(state.requests.open).toBe(1);
    expect(state.workers[1]).toMatchObject({
      open_legs: 1,
      engine: { running: 3, waiting: 1, kv_usage: 0.25 },
    });
    expect(state.workers[2]).toMatchObject({ open_legs: 0, engine: null, ttft_ms: { p50: null } });
    expect(state.workers[0]!.ttft_ms.p50).toBe(state.workers[1]!.ttft_ms.p50);
    expect(state.ttft_ms.p50).toBeGreaterThan(0);
    finish();
    await response.text();
    expect((await stateOf(fleet)).workers[1]).toMatchObject({
      open_legs: 0,
      legs: 1,
      itl_ms: { p50: expect.any(Number) as number },
    });
  });
});

describeWithBrowser("the dashboard in a browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  async function open(
    { url }: Fleet,
    {
      width = 1280,
      colorScheme = "light",
      bypassCSP = true,
    }: { width?: number; colorScheme?: "light" | "dark"; bypassCSP?: boolean } = {},
  ): Promise<{ page: Page; complaints: string[]; requests: string[] }> {
    // Playwright's functions need eval, which the page's own policy forbids; "follows a stream" keeps the policy.
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, bypassCSP });
    const page = await context.newPage();
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith("data:")) requests.push(request.url());
    });
    await page.goto(`${url}/dashboard`);
    await page.locator("html[data-ready=true]").waitFor();
    return { page, complaints, requests };
  }

  it("follows a stream from its start to its end, and asks nobody but the proxy", async () => {
    const fleet = await startFleet();
    fleet.prefill[0]!.script = withMetrics(0.5);
    const finish = holding(fleet.decode[0]!, 0.95);
    const { page, complaints, requests } = await open(fleet, { bypassCSP: false });
    const openOf = (row: number) => page.locator("#workers tbody tr").nth(row).locator("td").nth(1);
    const response = await post(`${fleet.url}/v1/completions`, STREAM);
    await page.locator("#card-open", { hasText: /^1$/ }).waitFor();
    await page.locator("#workers tbody", { hasText: "95 %" }).waitFor();
    expect(await openOf(1).textContent()).toBe("1");
    expect(
      await page.locator("#decisions tbody tr", { hasText: "decider.at_or_above_threshold" }).count(),
    ).toBe(1);
    expect(await page.locator("#chart-open .plot").getAttribute("aria-label")).toContain("decode 1");
    expect(await page.locator("#workers tbody tr").nth(1).locator("td.engine").allTextContents()).toEqual([
      "3",
      "1",
      "95 %",
    ]);
    finish();
    await response.text();
    await page.locator("#card-open", { hasText: /^0$/ }).waitFor();
    expect(await openOf(1).textContent()).toBe("0");
    expect(await page.locator("#chart-itl polyline").count()).toBeGreaterThan(0);
    expect(complaints).toEqual([]);
    expect(new Set(requests)).toEqual(new Set([`${fleet.url}/dashboard`, `${fleet.url}/dashboard/state`]));
    await page.context().close();
  });

  it("pauses by the keyboard, and says when the proxy is gone", async () => {
    const fleet = await startFleet();
    const { page } = await open(fleet);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await page.locator("#pause").getAttribute("aria-pressed")).toBe("true");
    expect(await page.locator("#status").textContent()).toBe("paused");
    await page.keyboard.press("Enter");
    await page.waitForFunction("document.getElementById('status').textContent === 'live'");
    await fleet.proxy.close();
    await page.waitForFunction("document.getElementById('status').textContent.startsWith('no answer since')");
    await page.context().close();
  });

  it("shows the name of a worker as text, whatever is in it", async () => {
    const fleet = await startFleet();
    const { page, complaints } = await open(fleet);
    await page.route("**/dashboard/state", async (route) => {
      const state = (await (await route.fetch()).json()) as DashboardDocument;
      const [worker] = state.workers;
      await route.fulfill({
        json: { ...state, workers: [{ ...worker, url: "<img src=x onerror=alert(1)>" }] },
      });
    });
    await page.waitForFunction("document.querySelector('#workers tbody th').textContent.startsWith('<img')");
    expect(await page.locator("img").count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await page.context().close();
  });

  it.each(["light", "dark"] as const)(
    "fits every width in %s and has no accessibility problem",
    async (colorScheme) => {
      const { default: axe } = await import("axe-core");
      const fleet = await startFleet({ prefill: 2, decode: 2 });
      for (const engine of [...fleet.prefill, ...fleet.decode]) engine.script = withMetrics(0.4);
      for (let i = 0; i < 4; i++) await (await post(`${fleet.url}/v1/completions`, STREAM)).text();
      const { page } = await open(fleet, { width: 390, colorScheme });
      await page.waitForFunction("document.querySelectorAll('#workers td.engine .figure-bar').length === 4");
      for (const width of [2200, 1280, 390]) {
        await page.setViewportSize({ width, height: 900 });
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
      }
      await page.evaluate(axe.source);
      const violations = await page.evaluate<{ id: string; nodes: unknown[] }[]>(
        "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html) })))",
      );
      expect(violations).toEqual([]);
      await page.context().close();
    },
  );
});
