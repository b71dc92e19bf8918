import OpenAI from "openai";
import { afterEach, describe, expect, it } from "vitest";
import {
  startMockEngines,
  type MockEnginesOptions,
  type MockFleet,
  type RunningEngine,
} from "../../mock-engines/start-mock-engines.js";
import type { ProxyOptions } from "../../src/proxy/proxy-options.js";
import { startProxy, type RunningProxy } from "../../src/proxy/server.js";
import { parseWorkerUrl } from "../../src/proxy/worker-url.js";
import { randomStream } from "../../src/values/random.js";
import { post, proxyOptions, until } from "./support/fleet.js";

let running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of running.reverse()) await each.close();
  running = [];
});

interface LiveFleet {
  readonly engines: MockFleet;
  readonly proxy: RunningProxy;
}

async function start(
  router: Record<string, unknown>,
  mock: MockEnginesOptions = {},
  options: (decode: readonly RunningEngine[]) => Partial<ProxyOptions> = () => ({}),
): Promise<LiveFleet> {
  const engines = await startMockEngines({
    timeScale: 0.02,
    ...mock,
    settings: {
      prefill_workers: 2,
      decode_workers: 2,
      profile: "llama-3.1-8b-h100-tp1-bf16",
      // In this release an idle prefill engine notices at once that its blocks have been read.
      "engine.vllm_version": "main-2026-08",
      ...mock.settings,
    },
  });
  running.push(engines);
  const of = (role: RunningEngine["role"]) => engines.engines.filter((engine) => engine.role === role);
  const urls = (role: RunningEngine["role"]) => of(role).map(({ url }) => parseWorkerUrl(url));
  const proxy = await startProxy({
    ...proxyOptions([], [], router),
    prefill: urls("prefill"),
    decode: urls("decode"),
    ...options(of("decode")),
  });
  running.push(proxy);
  return { engines, proxy };
}

const ranks = ({ engines }: LiveFleet) => engines.engines.map((engine) => engine.state().ranks[0]!);
const ids = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => 1000 + ((i * 7919 + seed * 104_729) % 20_000));

describe("in front of engines that hand KV over", () => {
  it("relays a handle that the prefill engine knows: read once, then gone", async () => {
    const fleet = await start({ policy: "round_robin" });
    const client = new OpenAI({ baseURL: `${fleet.proxy.url}/v1`, apiKey: "none", maxRetries: 0 });
    const prompt = ids(400, 1);
    const model = fleet.engines.engines[0]!.model;
    const first = await client.completions.create({ model, prompt, max_tokens: 6 });
    expect(first.usage).toMatchObject({ prompt_tokens: 400, completion_tokens: 6 });
    const stream = await client.chat.completions.create({
      model,
      messages: [{ role: "user", content: "hello" }],
      max_completion_tokens: 5,
      stream: true,
      stream_options: { include_usage: true },
    });
    let tokens = 0;
    for await (const { usage } of stream) tokens = usage?.completion_tokens ?? tokens;
    expect(tokens).toBe(5);
    await until(() => ranks(fleet).every(({ blocksInUse }) => blocksInUse === 0));
    const handles = ranks(fleet).map(({ handlesIssued, handlesRead, handlesOutstanding }) => [
      handlesIssued,
      handlesRead,
      handlesOutstanding,
    ]);
    expect(handles).toEqual([
      [1, 1, 0],
      [1, 1, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  it("reports the cached tokens that the prefill engine found, not those that were transferred", async () => {
    const fleet = await start({ policy: "cache_aware" });
    const send = async () => {
      const response = await post(`${fleet.proxy.url}/v1/completions`, {
        prompt: ids(400, 2),
        max_tokens: 2,
      });
      return ((await response.json()) as OpenAI.Completion).usage!.prompt_tokens_details?.cached_tokens ?? 0;
    };
    expect(await send()).toBe(0);
    expect(await send()).toBe(384);
  });

  it("continues behind the first token with LMCache, and loses none", async () => {
    const fleet = await start({ policy: "round_robin" }, {}, (decode) => ({
      connector: {
        connector: "lmcache",
        remoteHost: "as_reported",
        decoders: {
          registry: JSON.stringify(
            Object.fromEntries(
              decode.map(({ url, sideChannels: [side] }) => [
                url,
                {
                  receiver_host: side!.host,
                  receiver_init_port: [side!.port],
                  receiver_alloc_port: [side!.port],
                },
              ]),
            ),
          ),
        },
      },
    }));
    const direct = fleet.engines.engines[2]!.url;
    const body = { prompt: ids(200, 3), max_tokens: 8, temperature: 0 };
    const text = async (url: string) => {
      const response = await post(`${url}/v1/completions`, body);
      const { choices, usage } = (await response.json()) as OpenAI.Completion;
      return [choices[0]!.text, usage!.prompt_tokens, usage!.completion_tokens];
    };
    const [generated, prompt, completion] = await text(fleet.proxy.url);
    expect([prompt, completion]).toEqual([200, 8]);
    expect(String(generated).length).toBe(String((await text(direct))[0]).length);
    const stream = await (await post(`${fleet.proxy.url}/v1/completions`, { ...body, stream: true })).text();
    expect(
      stream.split("\n\n").filter((event) => event.includes('"text"') && !event.includes('"text":""')),
    ).toHaveLength(8);
  });

  it("shows what releasing decode load at the headers does, while streams run", async () => {
    const load = async (release: "headers" | "stream_end") => {
      const fleet = await start(
        { policy: "cache_aware", load_accounting: { decode_release: release } },
        { timeScale: 1 },
      );
      const controller = new AbortController();
      const streams = Array.from({ length: 8 }, async (_, i) => {
        const body = { prompt: ids(64, i), max_tokens: 5000, ignore_eos: true, stream: true };
        const response = await post(`${fleet.proxy.url}/v1/completions`, body, {}, controller.signal);
        return response.body!.getReader().read();
      });
      await Promise.all(streams);
      const { workers } = (await (await fetch(`${fleet.proxy.url}/loads`)).json()) as {
        workers: { leg: string; load: number; open_legs: number }[];
      };
      controller.abort();
      await until(() => fleet.proxy.router.isIdle());
      const decode = workers.filter(({ leg }) => leg === "decode");
      const sum = (name: "load" | "open_legs") => decode.reduce((total, worker) => total + worker[name], 0);
      return [sum("load"), sum("open_legs")];
    };
    expect(await load("stream_end")).toEqual([8, 8]);
    expect(await load("headers")).toEqual([0, 8]);
  });

  it("leaves no load, block, handle or socket after mixed requests with aborts and faults", async () => {
    const fleet = await start(
      { policy: "cache_aware", decider: { kind: "threshold", routing_threshold: 200 } },
      {
        settings: { "engine.num_gpu_blocks": 2000, "engine.max_model_len": 3000 },
        knobs: {
          error_rate: 0.02,
          reset_rate: 0.02,
          midstream_reset_rate: 0.01,
          kv_failure_rate: 0.02,
          kv_load_failure_policy: "recompute",
          kv_lease_ms: 20_000,
        },
      },
    );
    const random = randomStream(5, "clients");
    const tally = { completed: 0, failed: 0, left: 0 };
    const one = async () => {
      const body = {
        prompt: ids(20 + random.nextInt(800), random.nextInt(6)),
        max_tokens: 1 + random.nextInt(30),
        stream: random.nextFloat() < 0.7,
      };
      const leaves = random.nextFloat() < 0.1;
      const controller = new AbortController();
      const timer = leaves ? setTimeout(() => controller.abort(), random.nextInt(15)) : undefined;
      try {
        const response = await post(`${fleet.proxy.url}/v1/completions`, body, {}, controller.signal);
        const text = await response.text();
        tally[response.ok && !text.includes('"error"') ? "completed" : "failed"]++;
      } catch {
        tally[leaves ? "left" : "failed"]++;
      } finally {
        clearTimeout(timer);
      }
    };
    const lanes = Array.from({ length: 20 }, async () => {
      for (let i = 0; i < 25; i++) await one();
    });
    await Promise.all(lanes);
    expect(tally.completed).toBeGreaterThan(350);
    expect(tally.failed).toBeGreaterThan(5);
    await until(() => fleet.proxy.router.isIdle());
    await until(() =>
      ranks(fleet).every(
        ({ blocksInUse, openLegs, handlesOutstanding }) => blocksInUse + openLegs + handlesOutstanding === 0,
      ),
    );
    for (let worker = 0; worker < 4; worker++) expect(fleet.proxy.router.load.open(worker)).toBe(0);
  });
});
