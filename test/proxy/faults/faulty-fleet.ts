import { expect } from "vitest";
import { DEFAULT_RESILIENCE, type ProxyResilience } from "../../../src/proxy/resilience.js";
import { post, startFleet, until, type Fleet, type FleetOptions } from "../support/fleet.js";
import { ManualClock } from "../support/manual-clock.js";
import { likeVllm, sendJson, type Script } from "../support/scripted-engine.js";

export const RESILIENCE: ProxyResilience = {
  ...DEFAULT_RESILIENCE,
  health: null,
  breaker: { failureThreshold: 3, windowMs: 60_000, successThreshold: 1, openMs: 5000 },
  retries: { ...DEFAULT_RESILIENCE.retries!, initialBackoffMs: 0 },
  limits: { ...DEFAULT_RESILIENCE.limits, workerIdleTimeoutMs: 2000 },
};

export interface FaultyFleet extends Fleet {
  readonly timers: ManualClock;
}

/** Two workers of each leg, taking turns, with everything on that makes up for their faults. */
export async function startFaulty(options: FleetOptions = {}): Promise<FaultyFleet> {
  const timers = new ManualClock();
  const fleet = await startFleet({
    ...{ prefill: 2, decode: 2 },
    ...options,
    router: { policy: "round_robin", ...options.router },
    options: { timers, resilience: RESILIENCE, ...options.options },
  });
  return { ...fleet, timers };
}

export const STREAM = { prompt: "hello", max_tokens: 3, stream: true };

export type Outcome = "complete" | "error_event" | number;

/** Sends a completion and tells what the client saw; time passes while it waits. */
export async function complete({ url, timers }: FaultyFleet, body: object = STREAM): Promise<Outcome> {
  const answer = post(`${url}/v1/completions`, body).then(async (response) => {
    const text = await response.text();
    if (response.status !== 200) return response.status;
    if (text.includes('"error"')) return "error_event" as const;
    expect(text).toMatch(/\[DONE\]\n\n$/);
    return "complete" as const;
  });
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  void answer.then(over, over);
  await until(() => {
    timers.pass(1);
    return isOver;
  });
  return answer;
}

/** Nothing is open any more: no leg in the book, no answer of an engine under way, no place taken, no socket. */
export async function expectAllOver(fleet: FaultyFleet): Promise<void> {
  const engines = [...fleet.prefill, ...fleet.decode];
  await until(() => fleet.proxy.router.isIdle() && engines.every(({ open }) => open === 0));
  let metrics: string;
  const held = /^pdbench_(admitted|queued)_requests [1-9]/m;
  do metrics = await (await fetch(`${fleet.url}/metrics`)).text();
  while (held.test(metrics));
  for (const [, load] of metrics.matchAll(/^vllm_router_worker_load\{.*\} (\d+)/gm)) expect(load).toBe("0");
  await fleet.proxy.close();
  await until(() => engines.every(({ sockets }) => sockets.size === 0));
}

const STREAM_HEAD = { "content-type": "text/event-stream" };
let flaps = 0;

/** What a worker may do to a request before the client has seen anything. */
export const FAULTS = {
  "closes the connection before its first byte": (_, res) => void res.destroy(),
  "hangs before its first byte": () => undefined,
  "breaks off after its headers": (_, res) => {
    res.writeHead(200, STREAM_HEAD);
    res.flushHeaders();
    setImmediate(() => res.destroy());
  },
  "hangs after its headers": (_, res) => {
    res.writeHead(200, STREAM_HEAD);
    res.flushHeaders();
  },
  "breaks off in half a chunk": (_, res) => {
    const head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    res.socket!.end(`${head}40\r\ndata: {"ha`);
  },
  "answers 429": (_, res) => sendJson(res, 429, "{}"),
  "answers 500": (_, res) => sendJson(res, 500, "{}"),
  "answers 503": (_, res) => sendJson(res, 503, "{}"),
  "answers garbage": (_, res) => void res.socket!.end("garbage\r\n\r\n"),
  flaps: (request, res) => (flaps++ % 2 === 0 ? sendJson(res, 500, "{}") : likeVllm(request, res)),
} satisfies Record<string, Script>;

/** How a stream may end that has begun. */
export const MID_STREAM = {
  "breaks off": (_, res) => {
    res.writeHead(200, STREAM_HEAD);
    res.write('data: {"choices":[]}\n\ndata: {"ha');
    setImmediate(() => res.destroy());
  },
  hangs: (_, res) => {
    res.writeHead(200, STREAM_HEAD);
    res.write('data: {"choices":[]}\n\n');
  },
} satisfies Record<string, Script>;
