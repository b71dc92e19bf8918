import { EventEmitter } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { replayEventLog } from "../../src/proxy/event-log-replay.js";
import { Lifetime } from "../../src/proxy/lifetime.js";
import { ProcessLog } from "../../src/proxy/process-log.js";
import { runUntilSignal } from "../../src/proxy/signals.js";
import { parseWorkerUrl } from "../../src/proxy/worker-url.js";
import { resolveRouterConfig } from "../../src/routing/router-config.js";
import { post, startFleet, until, type Fleet } from "./support/fleet.js";
import { ManualTimers } from "./support/manual-timers.js";
import { Gate, likeVllm } from "./support/scripted-engine.js";

const STREAM = { prompt: "a".repeat(40), max_tokens: 3, stream: true };
const config = (router: Record<string, unknown>) => resolveRouterConfig(router).config;
const unchanged = { prefill: [], decode: [] };

/** A stream whose decode worker waits for the gate, begun and on its way. */
async function openStream(fleet: Fleet): Promise<{ gate: Gate; answer: Promise<string> }> {
  const gate = new Gate();
  const [engine] = fleet.decode;
  engine!.script = async (request, res) => {
    await gate.opened;
    if (!res.destroyed) await likeVllm(request, res);
  };
  const arrived = engine!.next();
  const answer = post(`${fleet.url}/v1/completions`, STREAM).then((response) => response.text());
  await arrived;
  return { gate, answer };
}

describe("a proxy that is told to end", () => {
  it("turns readiness off, takes nothing new, and lets streams finish", async () => {
    const fleet = await startFleet();
    const { gate, answer } = await openStream(fleet);
    const drained = fleet.proxy.drain({ delayMs: 0, timeoutMs: 60_000 });
    const statusOf = async (path: string) => (await fetch(`${fleet.url}${path}`)).status;
    expect(await Promise.all(["/readiness", "/liveness", "/health"].map(statusOf))).toEqual([503, 200, 200]);
    const late = await post(`${fleet.url}/v1/completions`, STREAM);
    expect([late.status, late.headers.get("retry-after")]).toEqual([503, "1"]);
    gate.open();
    expect(await answer).toContain("[DONE]");
    expect(await drained).toBe(0);
    expect(fleet.decode[0]!.seen).toHaveLength(1);
  });

  it("still takes requests while load balancers find out", async () => {
    const timers = new ManualTimers();
    const fleet = await startFleet({ options: { timers } });
    const drained = fleet.proxy.drain({ delayMs: 5000, timeoutMs: 60_000 });
    expect((await fetch(`${fleet.url}/readiness`)).status).toBe(503);
    expect((await post(`${fleet.url}/v1/completions`, STREAM)).status).toBe(200);
    timers.pass(5000);
    expect(await drained).toBe(0);
    expect((await post(`${fleet.url}/v1/completions`, STREAM)).status).toBe(503);
  });

  it("says how many requests are open when the time is over", async () => {
    const timers = new ManualTimers();
    const lifetime = new Lifetime(timers);
    const responses = [new EventEmitter(), new EventEmitter()];
    for (const res of responses) lifetime.track(res as never);
    responses[0]!.emit("close");
    const drained = lifetime.drain({ delayMs: 0, timeoutMs: 1000 });
    timers.pass(1000);
    expect(await drained).toBe(1);
  });
});

describe("signals", () => {
  const setup = () => {
    const said: string[] = [];
    const log = new ProcessLog({ level: "info", format: "text", write: (line) => said.push(line.trim()) });
    const calls: string[] = [];
    let finish: (cut: number) => void = () => undefined;
    const proxy = {
      drain: () => {
        calls.push("drain");
        return new Promise<number>((resolve) => (finish = resolve));
      },
      close: () => {
        calls.push("close");
        return Promise.resolve();
      },
    };
    const signals = new EventEmitter();
    const start = (reload = () => "reloaded", failure = new Promise<never>(() => undefined)) =>
      runUntilSignal({ proxy, drain: { delayMs: 0, timeoutMs: 1 }, reload, failure, log }, signals);
    return { said, calls, signals, start, finish: (cut: number) => finish(cut) };
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it("end the proxy once what is open has finished", async () => {
    const { calls, signals, start, finish } = setup();
    const done = start();
    signals.emit("SIGTERM");
    await turn();
    expect(calls).toEqual(["drain"]);
    finish(0);
    await done;
    expect(calls).toEqual(["drain", "close"]);
    expect(signals.eventNames()).toEqual([]);
  });

  it("are not waited for by a proxy that has no reason to go on", async () => {
    const { calls, signals, start } = setup();
    await expect(start(undefined, Promise.reject(new Error("no worker")))).rejects.toThrow("no worker");
    expect(calls).toEqual(["close"]);
    expect(signals.eventNames()).toEqual([]);
  });

  it("end it at once the second time", async () => {
    const { calls, signals, start, said } = setup();
    const done = start();
    signals.emit("SIGINT");
    await turn();
    signals.emit("SIGTERM");
    await done;
    expect(calls).toEqual(["drain", "close"]);
    expect(said.at(-1)).toContain("told to end again");
  });

  it("reload as often as they come, and survive what cannot be read", async () => {
    const { signals, start, finish, said } = setup();
    let fails = true;
    const done = start(() => {
      if (fails) throw new Error("scenario.yaml: line 3");
      return "reloaded: two settings";
    });
    signals.emit("SIGHUP");
    fails = false;
    signals.emit("SIGHUP");
    expect(said).toEqual(["pdbench: error: reload failed: scenario.yaml: line 3", "reloaded: two settings"]);
    signals.emit("SIGTERM");
    await turn();
    finish(0);
    await done;
  });
});

describe("a reload", () => {
  it("goes by the new threshold from the next request on, while an open stream runs to its end", async () => {
    const eventLog = join(mkdtempSync(join(tmpdir(), "pdbench-reload-")), "events.jsonl");
    const threshold = (tokens: number) => ({ decider: { kind: "threshold", routing_threshold: tokens } });
    const fleet = await startFleet({ router: threshold(10), options: { eventLog } });
    const { gate, answer } = await openStream(fleet);
    expect(fleet.prefill[0]!.seen).toHaveLength(1);
    fleet.proxy.reload({ ...listed(fleet), router: config(threshold(11)) });
    fleet.decode[0]!.script = likeVllm;
    expect(await (await post(`${fleet.url}/v1/completions`, STREAM)).text()).toContain("[DONE]");
    expect(fleet.prefill[0]!.seen).toHaveLength(1);
    expect(fleet.proxy.router.bookedLegs(1)).toBe(1);
    gate.open();
    expect(await answer).toContain("[DONE]");
    await until(() => fleet.proxy.router.isIdle());
    await fleet.proxy.close();
    const replay = await replayEventLog(eventLog);
    expect([replay.decisions, replay.divergences]).toEqual([2, []]);
    expect(replay.router.isIdle()).toBe(true);
  });

  it("takes workers in and out, and lets those that go finish", async () => {
    const fleet = await startFleet({
      decode: 2,
      prefill: 0,
      router: { decider: "never", policy: "round_robin" },
    });
    const { gate, answer } = await openStream(fleet);
    const { decode } = listed(fleet);
    fleet.proxy.reload({ prefill: [], decode: decode.slice(1), router: config({ decider: "never" }) });
    for (let i = 0; i < 3; i++) await (await post(`${fleet.url}/v1/completions`, STREAM)).text();
    expect(fleet.decode.map(({ seen }) => seen.length)).toEqual([1, 3]);
    gate.open();
    expect(await answer).toContain("[DONE]");
  });

  it("refuses what open requests are accounted by, and changes nothing", async () => {
    const fleet = await startFleet();
    const next = config({ order: "late_decode", decider: "never" });
    expect(() => fleet.proxy.reload({ ...unchanged, router: next })).toThrow("router.order cannot change");
    await (await post(`${fleet.url}/v1/completions`, STREAM)).text();
    expect(fleet.prefill[0]!.seen).toHaveLength(1);
  });
});

function listed({ prefill, decode }: Fleet) {
  const urls = (engines: Fleet["decode"]) => engines.map(({ url }) => parseWorkerUrl(url));
  return { prefill: urls(prefill), decode: urls(decode) };
}
