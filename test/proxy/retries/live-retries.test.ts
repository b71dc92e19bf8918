import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { replayEventLog } from "../../../src/proxy/event-log-replay.js";
import { DEFAULT_RESILIENCE } from "../../../src/proxy/resilience.js";
import { post, startFleet, until, type Fleet, type FleetOptions } from "../support/fleet.js";
import { ManualClock } from "../support/manual-clock.js";
import { Gate, HANDLE, likeVllm, sendJson, type Script } from "../support/scripted-engine.js";

const STREAM = { prompt: "hello", max_tokens: 2, stream: true };
const RETRIES = {
  ...DEFAULT_RESILIENCE,
  health: null,
  breaker: null,
  retries: { ...DEFAULT_RESILIENCE.retries!, initialBackoffMs: 0 },
};
const SGLANG = { connector: "sglang", remoteHost: "as_reported", decoders: {} } as const;

const start = (options: FleetOptions = {}) =>
  startFleet({
    router: { policy: "round_robin" },
    prefill: 2,
    decode: 2,
    ...options,
    options: { resilience: RETRIES, ...options.options },
  });

const status =
  (code: number): Script =>
  (_, res) =>
    sendJson(res, code, '{"error":{"message":"no"}}');
const cut: Script = (_, res) => void res.destroy();
const halfAnswer: Script = (_, res) => {
  res.writeHead(200, { "content-type": "text/event-stream" });
  res.flushHeaders();
  setImmediate(() => res.destroy());
};
const midStream: Script = (_, res) => {
  res.writeHead(200, { "content-type": "text/event-stream" });
  res.write("data: {}\n\n");
  setImmediate(() => res.destroy());
};

const seen = (fleet: Fleet, leg: "prefill" | "decode") => fleet[leg].map((engine) => engine.seen.length);

describe("a leg that fails before the client has seen anything", () => {
  it.each([
    ["prefill", "answers 503", status(503)],
    ["prefill", "closes the connection", cut],
    ["decode", "answers 429", status(429)],
    ["decode", "answers 500", status(500)],
    ["decode", "closes the connection", cut],
    ["decode", "breaks off after its headers", halfAnswer],
  ] as const)("of a %s worker that %s is done by another one", async (leg, _, script) => {
    const fleet = await start();
    fleet[leg][0]!.script = script;
    const response = await post(`${fleet.url}/v1/completions`, STREAM);
    expect(response.status).toBe(200);
    expect((await response.text()).endsWith("data: [DONE]\n\n")).toBe(true);
    expect(seen(fleet, leg)).toEqual([1, 1]);
    const metrics = await (await fetch(`${fleet.url}/metrics`)).text();
    expect(metrics).toContain('vllm_router_retries_total{route="/v1/completions"} 1');
  });

  it("is done by another one when its worker is away", async () => {
    const fleet = await start();
    await fleet.decode[0]!.close();
    await (await post(`${fleet.url}/v1/completions`, STREAM)).text();
    expect(fleet.decode[1]!.seen).toHaveLength(1);
    expect(fleet.prefill.map(({ seen }) => seen.length)).toEqual([1, 0]);
  });

  it("takes its handle along if the first worker turned it away, and begins anew with prefill if not", async () => {
    const handed = await start();
    handed.decode[0]!.script = status(503);
    await (await post(`${handed.url}/v1/completions`, STREAM)).text();
    expect(seen(handed, "prefill")).toEqual([1, 0]);
    expect(handed.decode[1]!.bodies[0]).toContain(HANDLE);
    const anew = await start();
    anew.decode[0]!.script = status(500);
    await (await post(`${anew.url}/v1/completions`, STREAM, { "x-request-id": "mine" })).text();
    expect(seen(anew, "prefill")).toEqual([1, 1]);
    const ids = [...anew.prefill, ...anew.decode].map(({ seen }) => seen[0]!.headers["x-request-id"]);
    expect(ids).toEqual(["mine", "mine-2", "mine", "mine-2"]);
  });

  it("begins anew on both sides where the legs meet in a rendezvous, and the other leg is cut", async () => {
    const fleet = await start({ options: { connector: SGLANG, resilience: RETRIES } });
    fleet.prefill[0]!.script = () => new Gate().opened;
    const decodeArrives = fleet.prefill[0]!.next();
    fleet.decode[0]!.script = async (_, res) => {
      await decodeArrives;
      res.destroy();
    };
    const response = await post(`${fleet.url}/v1/completions`, STREAM);
    expect(await response.text()).toContain("[DONE]");
    await (
      await decodeArrives
    ).aborted;
    const rooms = [...fleet.prefill, ...fleet.decode].map(({ seen }) => seen[0]!.json!["bootstrap_room"]);
    expect(rooms[0]).toBe(rooms[2]);
    expect(rooms[1]).toBe(rooms[3]);
    expect(rooms[0]).not.toBe(rooms[1]);
  });

  it("is not done again once the client has seen a byte", async () => {
    const fleet = await start();
    fleet.decode[0]!.script = midStream;
    const text = await (await post(`${fleet.url}/v1/completions`, STREAM)).text();
    expect(text).toMatch(/^data: \{\}\n\ndata: \{"error"/);
    expect(seen(fleet, "decode")).toEqual([1, 0]);
  });

  it("is not done again for a client's own mistake, nor when retries are off", async () => {
    const fleet = await start();
    fleet.prefill[0]!.script = status(400);
    expect((await post(`${fleet.url}/v1/completions`, STREAM)).status).toBe(400);
    expect(seen(fleet, "prefill")).toEqual([1, 0]);
    const off = await start({ options: { resilience: { ...RETRIES, retries: null } } });
    off.prefill[0]!.script = status(500);
    expect((await post(`${off.url}/v1/completions`, STREAM)).status).toBe(500);
  });

  it("reaches the client as it is when no other worker is left", async () => {
    const fleet = await start({ router: { decider: "never", policy: "round_robin" } });
    for (const engine of fleet.decode) engine.script = status(500);
    const response = await post(`${fleet.url}/v1/completions`, STREAM);
    expect([response.status, await response.text()]).toEqual([500, '{"error":{"message":"no"}}']);
    expect(seen(fleet, "decode")).toEqual([1, 1]);
  });

  it("of an engine's own route is done again only if nothing of it was sent", async () => {
    const fleet = await start();
    fleet.decode[0]!.script = status(500);
    expect((await post(`${fleet.url}/v1/load_lora_adapter`, {})).status).toBe(500);
    await fleet.decode[1]!.close();
    expect((await post(`${fleet.url}/v1/load_lora_adapter`, {})).status).toBe(500);
    expect(seen(fleet, "decode")).toEqual([2, 0]);
  });
});

describe("a worker that says Retry-After", () => {
  it("is waited for when it is the only one", async () => {
    const timers = new ManualClock();
    const fleet = await startFleet({
      router: { decider: "never" },
      prefill: 0,
      options: { timers, resilience: RETRIES },
    });
    const [engine] = fleet.decode;
    engine!.script = (_, res) => {
      res.writeHead(429, { "retry-after": "7" });
      res.end();
    };
    const response = post(`${fleet.url}/v1/completions`, STREAM);
    await until(() => engine!.seen.length === 1 && fleet.proxy.router.bookedLegs(0) === 0);
    engine!.script = likeVllm;
    timers.pass(6999);
    expect(engine!.seen).toHaveLength(1);
    timers.pass(2);
    expect((await response).status).toBe(200);
  });
});

describe("while nobody takes requests", () => {
  it.each([
    ["decode_only", 200],
    ["reject", 503],
  ])("for prefill, with without_prefill_worker=%s, a request ends in %s", async (setting, code) => {
    const fleet = await start({ router: { policy: "round_robin", without_prefill_worker: setting } });
    for (const engine of fleet.prefill) engine.script = cut;
    const response = await post(`${fleet.url}/v1/completions`, STREAM);
    expect(response.status).toBe(code === 503 ? 502 : 200);
    await response.text();
    if (code === 200)
      expect([...fleet.decode].flatMap(({ bodies }) => bodies)).toEqual([JSON.stringify(STREAM)]);
    expect(seen(fleet, "prefill")).toEqual([1, 1]);
  });

  it("a request waits a little for somebody, and gets 503 then; a client that leaves is forgotten", async () => {
    const timers = new ManualClock();
    const fleet = await startFleet({
      router: { decider: "never" },
      prefill: 0,
      options: { timers, resilience: DEFAULT_RESILIENCE },
    });
    const [engine] = fleet.decode;
    engine!.healthStatus = 500;
    await until(() => !fleet.proxy.router.isIdle() || engine!.healthChecks === 1);
    const down = async () => (await fetch(`${fleet.url}/readiness`)).status === 503;
    while (!(await down()));
    const late = post(`${fleet.url}/v1/completions`, STREAM);
    let isAnswered = false;
    void late.then(() => {
      isAnswered = true;
    });
    await until(() => {
      timers.pass(10);
      return isAnswered;
    });
    expect((await late).status).toBe(503);
    expect(timers.nowMs()).toBeGreaterThan(300);
  });

  it("a client that leaves during a wait leaves no trace", async () => {
    const timers = new ManualClock();
    const fleet = await start({
      options: { timers, resilience: { ...RETRIES, retries: DEFAULT_RESILIENCE.retries } },
    });
    fleet.decode[0]!.script = status(500);
    const req = httpRequest(`${fleet.url}/v1/completions`, { method: "POST" });
    req.on("error", () => undefined);
    req.end(JSON.stringify(STREAM));
    await once(req, "socket");
    await until(() => fleet.decode[0]!.seen.length === 1 && fleet.proxy.router.bookedLegs(2) === 0);
    req.destroy();
    await until(() => fleet.proxy.router.isIdle());
    timers.pass(1000);
    expect(seen(fleet, "decode")).toEqual([1, 0]);
  });
});

describe("the event log of a proxy that retries", () => {
  it.each(["prefill_first", "late_decode"])("makes a fresh router decide the same (%s)", async (order) => {
    const folder = await mkdtemp(join(tmpdir(), "pdbench-retries-"));
    const eventLog = join(folder, "events.jsonl");
    const fleet = await start({
      router: { policy: "cache_aware", order, index_update: "prefill_end" },
      options: { eventLog, resilience: RETRIES },
    });
    const scripts = [status(500), status(503), cut, likeVllm, likeVllm];
    let turn = 0;
    const mixed: Script = (request, res) => scripts[turn++ % scripts.length]!(request, res);
    for (const engine of [...fleet.prefill, ...fleet.decode]) engine.script = mixed;
    for (let i = 0; i < 20; i++) await (await post(`${fleet.url}/v1/completions`, STREAM)).text();
    await fleet.proxy.close();
    const { divergences, decisions, router } = await replayEventLog(eventLog);
    expect(divergences).toEqual([]);
    expect(decisions).toBeGreaterThan(20);
    expect(router.isIdle()).toBe(true);
    await rm(folder, { recursive: true });
  });
});
