import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { replayEventLog } from "../../../src/proxy/event-log-replay.js";
import { DEFAULT_RESILIENCE, type ProxyResilience } from "../../../src/proxy/resilience.js";
import { post, startFleet, until, type Fleet } from "../support/fleet.js";
import { ManualClock } from "../support/manual-clock.js";
import { Gate, likeVllm, ScriptedEngine, sendJson, type Script } from "../support/scripted-engine.js";

const BODY = { prompt: "hello", max_tokens: 2, stream: true };
const NEVER = { decider: "never", policy: "round_robin" };
const BREAKER = { failureThreshold: 2, windowMs: 10_000, successThreshold: 2, openMs: 1000 };
const HEALTH = { ...DEFAULT_RESILIENCE.health!, failureThreshold: 2, intervalMs: 1000 };

const failing: Script = (_, res) => sendJson(res, 500, "{}");

function resilience(changes: Partial<ProxyResilience>): ProxyResilience {
  return { ...DEFAULT_RESILIENCE, health: null, breaker: null, retries: null, ...changes };
}

const complete = async ({ url }: Fleet) => {
  const response = await post(`${url}/v1/completions`, BODY);
  await response.text();
  return response.status;
};

const get = async ({ url }: Fleet, path: string) => {
  const response = await fetch(`${url}${path}`);
  return [response.status, await response.text()] as const;
};

describe("a worker whose breaker is open", () => {
  it("gets nothing until it may be probed, then one request at a time, then everything", async () => {
    const timers = new ManualClock();
    const fleet = await startFleet({
      router: NEVER,
      options: { timers, resilience: resilience({ breaker: BREAKER }) },
    });
    const [engine] = fleet.decode;
    engine!.script = failing;
    expect([await complete(fleet), await complete(fleet), await complete(fleet)]).toEqual([500, 500, 503]);
    expect(engine!.seen).toHaveLength(2);
    timers.pass(1000);
    const gate = new Gate();
    engine!.script = async (request, res) => {
      await gate.opened;
      await likeVllm(request, res);
    };
    const arrived = engine!.next();
    const probe = complete(fleet);
    await arrived;
    expect(await complete(fleet)).toBe(503);
    gate.open();
    expect(await probe).toBe(200);
    expect([await complete(fleet), await complete(fleet)]).toEqual([200, 200]);
    const metrics = await (await fetch(`${fleet.url}/metrics`)).text();
    const worker = `worker="${engine!.url}"`;
    for (const [from, to] of [
      ["closed", "open"],
      ["open", "half_open"],
      ["half_open", "closed"],
    ]) {
      expect(metrics).toContain(
        `vllm_router_cb_state_transitions_total{${worker},from="${from}",to="${to}"} 1`,
      );
    }
    expect(metrics).toContain(`vllm_router_cb_outcomes_total{${worker},outcome="failure"} 2`);
    expect(metrics).toContain(`vllm_router_cb_state{${worker}} 0`);
  });

  it("is opened by streams that break off, and by nothing that a client does", async () => {
    const fleet = await startFleet({
      router: NEVER,
      options: { timers: new ManualClock(), resilience: resilience({ breaker: BREAKER }) },
    });
    const [engine] = fleet.decode;
    const breaks: Script = (_, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write("data: {}\n\n");
      setImmediate(() => res.destroy());
    };
    engine!.script = (_, res) => sendJson(res, 400, "{}");
    for (let i = 0; i < 3; i++) expect(await complete(fleet)).toBe(400);
    engine!.script = breaks;
    expect([await complete(fleet), await complete(fleet), await complete(fleet)]).toEqual([200, 200, 503]);
  });

  it("leaves its share to the others", async () => {
    const fleet = await startFleet({
      router: NEVER,
      decode: 2,
      options: { timers: new ManualClock(), resilience: resilience({ breaker: BREAKER }) },
    });
    fleet.decode[0]!.script = failing;
    const statuses = [];
    for (let i = 0; i < 8; i++) statuses.push(await complete(fleet));
    expect(statuses.filter((status) => status === 500)).toHaveLength(2);
    expect(fleet.decode.map(({ seen }) => seen.length)).toEqual([2, 6]);
  });
});

describe("health checks", () => {
  it("take a worker out and bring it back, and /health and /readiness say so", async () => {
    const timers = new ManualClock();
    const fleet = await startFleet({
      router: NEVER,
      decode: 2,
      prefill: 0,
      options: { timers, resilience: resilience({ health: HEALTH }) },
    });
    const [sick, well] = fleet.decode;
    const settled = async () => {
      const checks = sick!.healthChecks + well!.healthChecks;
      timers.pass(HEALTH.intervalMs * 1.2);
      await until(() => sick!.healthChecks + well!.healthChecks > checks);
    };
    await until(() => sick!.healthChecks === 1 && well!.healthChecks === 1);
    sick!.healthStatus = 500;
    while ((await get(fleet, "/health"))[0] === 200) await settled();
    expect(await get(fleet, "/health")).toEqual([503, `Unhealthy servers: [${sick!.url}]`]);
    for (let i = 0; i < 3; i++) expect(await complete(fleet)).toBe(200);
    expect([sick, well].map((engine) => engine!.seen.length)).toEqual([0, 3]);
    expect(JSON.parse((await get(fleet, "/readiness"))[1])).toMatchObject({
      status: "ready",
      healthy_workers: 1,
      total_workers: 2,
    });
    well!.healthStatus = 500;
    while ((await get(fleet, "/readiness"))[0] === 200) await settled();
    expect(await complete(fleet)).toBe(503);
    for (const engine of [sick, well]) engine!.healthStatus = 200;
    while ((await get(fleet, "/health"))[0] === 503) await settled();
    expect(await complete(fleet)).toBe(200);
  });

  it("take a worker that is silent to be down, but not when the proxy itself stood still", async () => {
    const timers = new ManualClock();
    const fleet = await startFleet({
      router: NEVER,
      prefill: 0,
      options: { timers, resilience: resilience({ health: HEALTH }) },
    });
    const [engine] = fleet.decode;
    engine!.healthStatus = 0;
    timers.pass(HEALTH.timeoutMs - 1);
    timers.skip(HEALTH.timeoutMs);
    expect((await get(fleet, "/health"))[0]).toBe(200);
    timers.pass(HEALTH.timeoutMs);
    expect((await get(fleet, "/health"))[0]).toBe(503);
  });

  it("notice by themselves when connections are refused", async () => {
    const timers = new ManualClock();
    const fleet = await startFleet({
      router: NEVER,
      decode: 2,
      prefill: 0,
      options: { timers, resilience: resilience({ health: HEALTH }) },
    });
    await until(() => fleet.decode.every(({ healthChecks }) => healthChecks === 1));
    await until(() => fleet.proxy.router.isIdle());
    await fleet.decode[0]!.close();
    const statuses = [];
    for (let i = 0; i < 6; i++) statuses.push(await complete(fleet));
    expect(statuses.filter((status) => status === 502)).toHaveLength(HEALTH.failureThreshold);
    expect((await get(fleet, "/health"))[0]).toBe(503);
  });
});

describe("workers that come and go", () => {
  const options = () => ({ timers: new ManualClock(), resilience: resilience({ health: HEALTH }) });

  it("are added once they answer, and then take their share", async () => {
    const timers = new ManualClock();
    const fleet = await startFleet({
      router: NEVER,
      prefill: 0,
      options: { timers, resilience: resilience({ health: HEALTH }) },
    });
    const engine = await ScriptedEngine.start();
    engine.healthStatus = 503;
    const added = post(`${fleet.url}/add_worker?url=${engine.url}`, "");
    await until(() => {
      timers.pass(100);
      return engine.healthChecks > 0;
    });
    expect(await complete(fleet)).toBe(200);
    expect(engine.seen).toHaveLength(0);
    engine.healthStatus = 200;
    let isAnswered = false;
    void added.then(() => {
      isAnswered = true;
    });
    await until(() => {
      timers.pass(100);
      return isAnswered;
    });
    const response = await added;
    expect([response.status, await response.text()]).toEqual([
      200,
      `Successfully added worker: ${engine.url}`,
    ]);
    for (let i = 0; i < 2; i++) await complete(fleet);
    expect(engine.seen).toHaveLength(1);
    expect(JSON.parse((await get(fleet, "/list_workers"))[1])).toEqual({
      urls: [fleet.decode[0]!.url, engine.url],
    });
    await engine.close();
  });

  it("finish what they have when they are removed, and get nothing new", async () => {
    const fleet = await startFleet({ router: NEVER, decode: 2, prefill: 0, options: options() });
    const [leaving, staying] = fleet.decode;
    const gate = new Gate();
    leaving!.script = async (_, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write("data: {}\n\n");
      await gate.opened;
      res.end("data: [DONE]\n\n");
    };
    const req = httpRequest(`${fleet.url}/v1/completions`, { method: "POST" });
    req.end(JSON.stringify(BODY));
    const [res] = (await once(req, "response")) as [IncomingMessage];
    const removed = await post(`${fleet.url}/remove_worker?url=${leaving!.url}`, "");
    expect([removed.status, await removed.text()]).toEqual([
      200,
      `Successfully removed worker: ${leaving!.url}`,
    ]);
    for (let i = 0; i < 3; i++) expect(await complete(fleet)).toBe(200);
    expect([leaving, staying].map((engine) => engine!.seen.length)).toEqual([1, 3]);
    const shown = JSON.parse((await get(fleet, "/workers"))[1]) as { workers: object[] };
    expect(shown.workers).toMatchObject([
      { url: staying!.url, draining: false },
      { url: leaving!.url, draining: true, open_legs: 1 },
    ]);
    gate.open();
    res.resume();
    await once(res, "end");
    await until(() => leaving!.sockets.size === 0);
    expect(JSON.parse((await get(fleet, "/workers"))[1])).toMatchObject({ total: 1 });
  });

  it.each([
    ["POST", "/add_worker", 400, /url: expected the URL/],
    ["POST", "/add_worker?url=nonsense", 400, /is not a worker URL/],
    [
      "POST",
      "/add_worker?url=http://127.0.0.1:9",
      400,
      /worker_type: got nothing, expected prefill or decode/,
    ],
    [
      "POST",
      "/add_worker?url=http://127.0.0.1:9&worker_type=prefill&bootstrap_port=x",
      400,
      /bootstrap_port/,
    ],
    ["POST", "/remove_worker?url=http://127.0.0.1:9", 400, /not found/],
    ["GET", "/workers/http%3A%2F%2F127.0.0.1%3A9", 404, /WORKER_NOT_FOUND/],
    ["DELETE", "/workers/%zz", 400, /percent-encoded/],
    ["POST", "/workers", 400, /ADD_WORKER_FAILED/],
  ])("are not changed by %s %s: %i", async (method, path, status, text) => {
    const fleet = await startFleet({ options: options() });
    const response = await fetch(`${fleet.url}${path}`, { method });
    expect(response.status).toBe(status);
    expect(await response.text()).toMatch(text);
  });

  it("stand in the event log, so that a fresh router decides the same", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pdbench-workers-"));
    const eventLog = join(folder, "events.jsonl");
    const fleet = await startFleet({
      router: { policy: "cache_aware", decider: "never" },
      decode: 3,
      prefill: 0,
      options: { timers: new ManualClock(), eventLog, resilience: resilience({ breaker: BREAKER }) },
    });
    const extra = await ScriptedEngine.start();
    fleet.decode[0]!.script = failing;
    for (let i = 0; i < 6; i++) await complete(fleet);
    await (await post(`${fleet.url}/workers`, { url: extra.url, worker_type: "decode" })).text();
    const path = `${fleet.url}/workers/${encodeURIComponent(fleet.decode[1]!.url)}`;
    await (await fetch(path, { method: "DELETE" })).text();
    for (let i = 0; i < 6; i++) await complete(fleet);
    await fleet.proxy.close();
    await extra.close();
    const { decisions, divergences, router } = await replayEventLog(eventLog);
    expect(divergences).toEqual([]);
    expect(decisions).toBe(12);
    expect(router.isIdle()).toBe(true);
    expect(extra.seen.length + fleet.decode[2]!.seen.length).toBeGreaterThanOrEqual(6);
    await rm(folder, { recursive: true });
  });
});
