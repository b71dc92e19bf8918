import { describe, expect, it } from "vitest";
import { startProxy } from "../../src/proxy/server.js";
import { parseWorkerUrl } from "../../src/proxy/worker-url.js";
import { post, proxyOptions, startFleet } from "./support/fleet.js";
import { HANDLE, PREFILL_CACHED, sendJson } from "./support/scripted-engine.js";

const BODY = '{"model":"mock","prompt":"hello","max_tokens":4,"seed":9007199254740993,"tool":{"10":1,"2":2}}';

interface Completion {
  readonly choices: readonly { readonly text: string }[];
  readonly usage: { readonly prompt_tokens_details: { readonly cached_tokens: number } | null };
}

describe("a disaggregated request", () => {
  it("goes to a prefill worker for one token and then to a decode worker with the handle", async () => {
    const { url, prefill, decode } = await startFleet();
    const response = await post(`${url}/v1/completions?x=1`, BODY);
    const answer = (await response.json()) as Completion;

    expect(response.status).toBe(200);
    expect(answer.choices[0]!.text).toBe(" t0 t1 t2 t3");
    expect(prefill[0]!.seen[0]!.json).toMatchObject({ max_tokens: 1, stream: false });
    expect(decode[0]!.bodies).toEqual([`${BODY.slice(0, -1)},"kv_transfer_params":${HANDLE}}`]);
    expect(decode[0]!.seen[0]!.url).toBe("/v1/completions?x=1");
  });

  it("carries one request id and the client's headers on both legs, and back", async () => {
    const { url, prefill, decode } = await startFleet();
    const response = await post(`${url}/v1/completions`, BODY, {
      "x-session-id": "s",
      authorization: "Bearer k",
    });
    const id = response.headers.get("x-request-id");
    for (const { headers } of [prefill[0]!.seen[0]!, decode[0]!.seen[0]!]) {
      expect(headers).toMatchObject({ "x-request-id": id, "x-session-id": "s", authorization: "Bearer k" });
    }
    const own = await post(`${url}/v1/completions`, BODY, { "x-request-id": "mine" });
    expect(own.headers.get("x-request-id")).toBe("mine");
    expect(decode[0]!.seen[1]!.headers["x-request-id"]).toBe("mine");
  });

  it("reports the cached tokens of the prefill worker, in an answer and in a stream", async () => {
    const { url } = await startFleet();
    const answer = (await (await post(`${url}/v1/completions`, BODY)).json()) as Completion;
    expect(answer.usage.prompt_tokens_details).toEqual({ cached_tokens: PREFILL_CACHED });

    const body = { prompt: "x", max_tokens: 2, stream: true, stream_options: { include_usage: true } };
    const events = (await (await post(`${url}/v1/completions`, body)).text()).split("\n\n");
    expect(events).toHaveLength(5);
    expect(events[2]).toContain(`"cached_tokens":${PREFILL_CACHED}`);
    expect(events[3]).toBe("data: [DONE]");
  });

  it("reaches the worker of a data-parallel rank by header", async () => {
    const fleet = await startFleet();
    const ranked = (engine: { url: string }, rank: number) => parseWorkerUrl(`${engine.url}@${rank}`);
    const proxy = await startProxy({
      ...proxyOptions([], [], { policy: "round_robin" }),
      prefill: [0, 1].map((rank) => ranked(fleet.prefill[0]!, rank)),
      decode: [0, 1].map((rank) => ranked(fleet.decode[0]!, rank)),
    });
    for (let i = 0; i < 2; i++) await (await post(`${proxy.url}/v1/completions`, BODY)).text();
    await proxy.close();
    for (const engine of [fleet.prefill[0]!, fleet.decode[0]!]) {
      expect(engine.seen.map(({ headers }) => headers["x-data-parallel-rank"])).toEqual(["0", "1"]);
    }
  });
});

describe("which way a request goes", () => {
  const router = { decider: { kind: "threshold", routing_threshold: 10 } };

  it.each([
    ["at the threshold", { prompt: "a".repeat(40) }, 1],
    ["below it", { prompt: "a".repeat(39) }, 0],
    ["of token ids at the threshold", { prompt: Array(10).fill(7) }, 1],
    ["of token ids below it", { prompt: Array(9).fill(7) }, 0],
    ["with several answers", { prompt: "a".repeat(40), n: 2 }, 0],
  ])("%s", async (_, body, prefills) => {
    const { url, prefill, decode } = await startFleet({ router });
    const text = JSON.stringify({ ...body, max_tokens: 2 });
    await (await post(`${url}/v1/completions`, text)).text();
    expect(prefill[0]!.seen).toHaveLength(prefills);
    if (prefills === 0) expect(decode[0]!.bodies).toEqual([text]);
  });

  it("is by token ids for token in, token out, and loses nothing of the body", async () => {
    const { url, prefill, decode } = await startFleet({
      router: { ...router, policy: "cache_aware" },
      prefill: 2,
    });
    const ids = Array.from({ length: 40 }, (_, i) => 151644 + i);
    const bodies = [1, 2].map(
      (seed) =>
        `{"token_ids":[${ids.join()}],"sampling_params":{"seed":${seed},"max_tokens":8},"x":9223372036854775807}`,
    );
    for (const body of bodies) await (await post(`${url}/inference/v1/generate`, body)).text();
    expect(prefill.map(({ seen }) => seen.length).sort()).toEqual([0, 2]);
    expect(decode[0]!.bodies).toEqual(
      bodies.map((body) => `${body.slice(0, -1)},"kv_transfer_params":${HANDLE}}`),
    );
    const leg = prefill.flatMap(({ seen }) => seen)[0]!.json;
    expect(leg).toMatchObject({ sampling_params: { max_tokens: 1, seed: 1 } });
  });

  it.each([
    ["GET", "/v1/models", ""],
    ["GET", "/version", ""],
    ["DELETE", "/v1/responses/7", ""],
    ["POST", "/tokenize", '{"prompt": "x" }'],
    ["POST", "/v1/embeddings?a=b", "not JSON"],
    ["POST", "/v1/load_lora_adapter", ""],
  ])("%s %s goes to a decode worker as it is", async (method, path, body) => {
    const { url, prefill, decode } = await startFleet();
    const response = await fetch(`${url}${path}`, {
      method,
      ...(method === "GET" || body === "" ? {} : { body }),
    });
    expect(await response.json()).toMatchObject({ ok: true, url: path });
    expect(prefill[0]!.seen).toHaveLength(0);
    expect(decode[0]!.seen[0]).toMatchObject({ method, url: path });
    expect(decode[0]!.bodies).toEqual([method === "GET" ? "" : body]);
  });

  it("is told to a client that asks", async () => {
    const { url, prefill, decode } = await startFleet();
    const headers = Object.fromEntries(
      (await post(`${url}/v1/completions`, BODY, { "x-pdbench-explain": "1" })).headers,
    );
    expect(headers).toMatchObject({
      "x-pdbench-path": "disaggregated",
      "x-pdbench-branch": "at_or_above_threshold",
      "x-pdbench-prefill-worker": prefill[0]!.url,
      "x-pdbench-decode-worker": decode[0]!.url,
    });
    expect(Number(headers["x-pdbench-decision-us"])).toBeGreaterThanOrEqual(0);
    expect(decode[0]!.seen[0]!.headers).not.toHaveProperty("x-pdbench-explain");
  });

  it("ends in 503 when no worker takes it", async () => {
    const { url, proxy } = await startFleet();
    proxy.router.setHealthy(1, false, 0);
    const response = await post(`${url}/v1/completions`, BODY);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { type: "ServiceUnavailableError", code: 503 } });
  });

  it("may be settled for decode when the prefill has ended", async () => {
    const { url, decode } = await startFleet({ router: { order: "late_decode" }, decode: 2 });
    expect((await post(`${url}/v1/completions`, BODY)).status).toBe(200);
    expect(decode.flatMap(({ bodies }) => bodies)).toHaveLength(1);
  });
});

describe("a request that is not right", () => {
  it.each([
    ["not JSON", "{oops", /not JSON/],
    ["not an object", "[1]", /not a JSON object/],
    ["nested beyond measure", "[".repeat(200_000), /not JSON/],
  ])("that is %s is refused with 400", async (_, body, message) => {
    const { url, decode } = await startFleet();
    const response = await post(`${url}/v1/completions`, body);
    expect(response.status).toBe(400);
    expect(response.headers.get("x-request-id")).not.toBeNull();
    expect(((await response.json()) as { error: { message: string } }).error.message).toMatch(message);
    expect(decode[0]!.seen).toHaveLength(0);
  });

  it("is refused with 413 when it is too large, declared or not", async () => {
    const { url } = await startFleet();
    expect((await post(`${url}/v1/completions`, "x".repeat((1 << 20) + 1))).status).toBe(413);
    const body = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 40; i++) controller.enqueue(Buffer.alloc(1 << 15));
        controller.close();
      },
    });
    const init = { method: "POST", body, duplex: "half" } as RequestInit;
    expect((await fetch(`${url}/v1/completions`, init)).status).toBe(413);
  });
});

describe("what the proxy tells of itself", () => {
  it("answers health, liveness and readiness", async () => {
    const { url } = await startFleet({ decode: 2 });
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect(await (await fetch(`${url}/liveness`)).text()).toBe("OK");
    expect(await (await fetch(`${url}/readiness`)).json()).toEqual({
      status: "ready",
      healthy_workers: 3,
      total_workers: 3,
    });
  });

  it("shows the load of its workers while streams run, and none after", async () => {
    const { url, decode, prefill } = await startFleet();
    let finish!: () => void;
    decode[0]!.script = (_, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write("data: {}\n\n");
      finish = () => res.end("data: [DONE]\n\n");
    };
    const response = await post(`${url}/v1/completions`, { prompt: "abcd".repeat(5), stream: true });
    const loads = async () =>
      (await (await fetch(`${url}/loads`)).json()) as { workers: object[]; decisions: object };
    expect(await loads()).toMatchObject({
      workers: [
        { worker: prefill[0]!.url, leg: "prefill", load: 0, open_legs: 0 },
        { worker: decode[0]!.url, leg: "decode", load: 1, load_tokens: 5, open_legs: 1 },
      ],
      decisions: { "decider.at_or_above_threshold": 1 },
    });
    finish();
    await response.text();
    expect((await loads()).workers).toMatchObject([{ load: 0 }, { load: 0, open_legs: 0 }]);
  });

  it("lists workers, decisions and metrics", async () => {
    const { url, decode } = await startFleet();
    await (await post(`${url}/v1/completions`, BODY)).text();
    const workers = (await (await fetch(`${url}/workers`)).json()) as { workers: object[] };
    expect(workers.workers[1]).toMatchObject({
      url: decode[0]!.url,
      worker_type: "decode",
      is_healthy: true,
    });
    const { decisions } = (await (await fetch(`${url}/debug/decisions`)).json()) as { decisions: object[] };
    expect(decisions).toHaveLength(1);
    expect(decisions[0]).toMatchObject({
      route: "/v1/completions",
      outcome: "completed",
      path: "disaggregated",
    });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('vllm_router_requests_total{route="/v1/completions"} 1');
    expect(metrics).toContain(`vllm_router_worker_load{worker="${decode[0]!.url}"} 0`);
    expect(metrics).toContain('pdbench_decisions_total{branch="decider.at_or_above_threshold"} 1');
    expect(metrics).toContain("pdbench_time_to_first_token_seconds_count 1");
  });
});

describe("starting the proxy", () => {
  it.each([
    ["without a decode worker", { decode: [] }, /no decode worker/],
    [
      "with one worker twice",
      { decode: [parseWorkerUrl("http://h:1"), parseWorkerUrl("http://h:1/")] },
      /given twice/,
    ],
  ])("fails %s", async (_, options, message) => {
    await expect(startProxy({ ...proxyOptions([], []), ...options })).rejects.toThrow(message);
  });

  it("fails on an address that is taken", async () => {
    const { proxy, decode } = await startFleet();
    const port = Number(new URL(proxy.url).port);
    await expect(startProxy({ ...proxyOptions([], decode), port })).rejects.toThrow(
      /cannot listen on .*EADDRINUSE/,
    );
  });
});

describe("errors of workers", () => {
  it("of the prefill worker reach the client as they are, and decode is not asked", async () => {
    const { url, prefill, decode } = await startFleet();
    prefill[0]!.script = (_, res) => {
      res.setHeader("retry-after", "7");
      sendJson(res, 429, '{"error":{"message":"slow down"}}');
    };
    const response = await post(`${url}/v1/completions`, BODY);
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("7");
    expect(await response.text()).toBe('{"error":{"message":"slow down"}}');
    expect(decode[0]!.seen).toHaveLength(0);
  });
});
