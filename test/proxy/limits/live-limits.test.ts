import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { DEFAULT_RESILIENCE, type LimitSettings } from "../../../src/proxy/resilience.js";
import { post, startFleet, until, type Fleet } from "../support/fleet.js";
import { ManualClock } from "../support/manual-clock.js";
import { Gate, likeVllm, type Script } from "../support/scripted-engine.js";

const STREAM = { prompt: "hello", max_tokens: 2, stream: true };

async function start(limits: Partial<LimitSettings>, decode = 1) {
  const timers = new ManualClock();
  const resilience = {
    ...DEFAULT_RESILIENCE,
    health: null,
    breaker: null,
    retries: { ...DEFAULT_RESILIENCE.retries!, initialBackoffMs: 0 },
    limits: { ...DEFAULT_RESILIENCE.limits, ...limits },
  };
  const router = { decider: "never", policy: "round_robin" };
  const fleet = await startFleet({ router, prefill: 0, decode, options: { timers, resilience } });
  return { fleet, timers };
}

const held =
  (gate: Gate): Script =>
  async (request, res) => {
    await gate.opened;
    if (!res.destroyed) await likeVllm(request, res);
  };

/** On a connection of its own: the timers of these tests pass by leaps, and idle connections are closed by them. */
const send = ({ url }: Fleet, body: object) => post(`${url}/v1/completions`, body, { connection: "close" });
const errorOf = async (response: Response) =>
  [response.status, ((await response.json()) as { error: { message: string } }).error.message] as const;

describe("more requests than there are places", () => {
  it("wait in the queue, urgent ones first; more than that get 429 and a whole number of seconds", async () => {
    const { fleet } = await start({ concurrentMax: 1, queueSize: 2 });
    const [engine] = fleet.decode;
    const gate = new Gate();
    engine!.script = held(gate);
    const arrived = engine!.next();
    const first = send(fleet, STREAM);
    await arrived;
    const waiting = async (count: number) => {
      const line = new RegExp(`^pdbench_queued_requests ${count}$`, "m");
      while (!line.test(await (await fetch(`${fleet.url}/metrics`)).text()));
    };
    const later = send(fleet, { ...STREAM, prompt: "later" });
    await waiting(1);
    const urgent = send(fleet, { ...STREAM, prompt: "urgent", priority: -1 });
    await waiting(2);
    const refused = await send(fleet, STREAM);
    expect(refused.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
    expect((await errorOf(refused))[0]).toBe(429);
    gate.open();
    for (const response of await Promise.all([first, later, urgent])) await response.text();
    expect(engine!.seen.map(({ json }) => json!["prompt"])).toEqual(["hello", "urgent", "later"]);
  });

  it("get 408 when no place is free in time, and leave the queue when they go away", async () => {
    const { fleet, timers } = await start({ concurrentMax: 1, queueTimeoutMs: 5000 });
    const [engine] = fleet.decode;
    const gate = new Gate();
    engine!.script = held(gate);
    const arrived = engine!.next();
    const first = send(fleet, STREAM);
    await arrived;
    const late = send(fleet, STREAM);
    let isLate = false;
    void late.then(() => {
      isLate = true;
    });
    await until(() => {
      timers.pass(1000);
      return isLate;
    });
    expect((await errorOf(await late))[0]).toBe(408);
    gate.open();
    await (await first).text();
  });

  it("keep their place until their stream is over", async () => {
    const { fleet } = await start({ concurrentMax: 1, queueSize: 0 });
    fleet.decode[0]!.script = (_, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write("data: {}\n\n");
    };
    const controller = new AbortController();
    const first = await post(`${fleet.url}/v1/completions`, STREAM, {}, controller.signal);
    await first.body!.getReader().read();
    expect((await send(fleet, STREAM)).status).toBe(429);
    controller.abort();
    await until(() => fleet.proxy.router.isIdle());
    fleet.decode[0]!.script = likeVllm;
    expect((await send(fleet, STREAM)).status).toBe(200);
  });
});

describe("what takes too long", () => {
  it("in the worker, before its first byte, is done by another one; and gets 504 if there is none", async () => {
    const { fleet, timers } = await start({ workerIdleTimeoutMs: 3000 }, 2);
    const never = held(new Gate());
    fleet.decode[0]!.script = never;
    const arrived = fleet.decode[0]!.next();
    const response = send(fleet, STREAM);
    const { aborted } = await arrived;
    timers.pass(3100);
    await aborted;
    expect((await response).status).toBe(200);
    fleet.decode[1]!.script = never;
    const both = fleet.decode.map((engine) => engine.next());
    const silent = send(fleet, STREAM);
    await both[0];
    timers.pass(3100);
    await both[1];
    timers.pass(3100);
    expect(await errorOf(await silent)).toEqual([504, "the decode worker was silent for too long"]);
  });

  it("as a whole ends in 504, or in an error event once it streams", async () => {
    const { fleet, timers } = await start({ requestTimeoutMs: 10_000 });
    const [engine] = fleet.decode;
    engine!.script = held(new Gate());
    const arrived = engine!.next();
    const response = send(fleet, STREAM);
    const { aborted } = await arrived;
    timers.pass(10_100);
    expect((await errorOf(await response))[0]).toBe(504);
    await aborted;
    engine!.script = (_, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write("data: {}\n\n");
    };
    const stream = await send(fleet, STREAM);
    timers.pass(10_100);
    expect(await stream.text()).toMatch(/^data: \{\}\n\ndata: \{"error".*504\}\}\n\n$/);
  });

  it("in the upload gets 408, and the worker hears nothing of it", async () => {
    const { fleet, timers } = await start({ bodyIdleTimeoutMs: 2000 });
    const req = httpRequest(`${fleet.url}/v1/completions`, { method: "POST" });
    req.on("error", () => undefined);
    req.setHeader("content-length", 100);
    req.flushHeaders();
    req.write('{"prompt":');
    const answer = once(req, "response") as Promise<[IncomingMessage]>;
    let isAnswered = false;
    void answer.then(() => {
      isAnswered = true;
    });
    await until(() => {
      timers.pass(500);
      return isAnswered;
    });
    const [res] = await answer;
    expect(res.statusCode).toBe(408);
    res.resume();
    await once(res, "end");
    expect(fleet.decode[0]!.seen).toHaveLength(0);
  });

  it("in the client's reading ends the request and lets the worker go", async () => {
    const { fleet, timers } = await start({ slowReaderTimeoutMs: 4000 });
    const chunk = Buffer.concat([Buffer.alloc(1 << 16, "x"), Buffer.from("\n\n")]);
    fleet.decode[0]!.script = (_, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      const pump = () => {
        while (!res.destroyed && res.write(chunk));
        res.once("drain", pump);
      };
      pump();
    };
    const arrived = fleet.decode[0]!.next();
    const req = httpRequest(`${fleet.url}/v1/completions`, { method: "POST", agent: false });
    req.on("error", () => undefined);
    req.end(JSON.stringify(STREAM));
    const { aborted } = await arrived;
    await once(req, "response");
    let isCut = false;
    void aborted.then(() => {
      isCut = true;
    });
    await until(() => {
      timers.pass(100);
      return isCut;
    });
    await until(() => fleet.proxy.router.isIdle());
    expect(timers.nowMs()).toBeGreaterThanOrEqual(4000);
  });
});
