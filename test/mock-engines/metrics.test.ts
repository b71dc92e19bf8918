import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { oneTwoFive } from "../../mock-engines/metric-series.js";
import type { MockFleet } from "../../mock-engines/start-mock-engines.js";
import { decodeOf, freshIds, get, metric, post, startFleet, until } from "./fleet.js";

const V0_ONLY = [
  "vllm:gpu_cache_usage_perc",
  "vllm:gpu_prefix_cache_hits_total",
  "vllm:gpu_prefix_cache_hit_rate",
];
const V1_ONLY = [
  "vllm:kv_cache_usage_perc",
  "vllm:prefix_cache_hits_total",
  "vllm:prefix_cache_queries_total",
];
const BOTH = [
  "vllm:num_requests_running",
  "vllm:num_requests_waiting",
  "vllm:prompt_tokens_total",
  "vllm:generation_tokens_total",
  "vllm:num_preemptions_total",
  "vllm:request_success_total",
  "vllm:lora_requests_info",
  "vllm:cache_config_info",
  "vllm:nixl_num_kv_expired_reqs_total",
];
const HISTOGRAMS = [
  "time_to_first_token_seconds",
  "time_per_output_token_seconds",
  "inter_token_latency_seconds",
  "request_time_per_output_token_seconds",
  "e2e_request_latency_seconds",
  "request_queue_time_seconds",
  "request_inference_time_seconds",
  "request_prefill_time_seconds",
  "request_decode_time_seconds",
  "request_prompt_tokens",
  "request_generation_tokens",
  "request_max_num_generation_tokens",
  "request_params_max_tokens",
  "request_params_n",
];

describe("GET /metrics", () => {
  let fleet: MockFleet;
  const engine = () => decodeOf(fleet);
  const text = async (): Promise<string> => (await get(engine(), "/metrics")).text;

  beforeAll(async () => {
    fleet = await startFleet();
    await post(engine(), "/v1/completions", { prompt: freshIds(100), max_tokens: 8 });
  });

  afterAll(() => fleet.close());

  it("has every series of vLLM, in both generations of names", async () => {
    const metrics = await text();
    for (const name of [...V0_ONLY, ...V1_ONLY, ...BOTH]) expect(metric(metrics, name), name).toBeDefined();
    for (const name of HISTOGRAMS) expect(metric(metrics, `vllm:${name}_count`), name).toBeGreaterThan(0);
  });

  it.each([
    ["v0", V0_ONLY, V1_ONLY],
    ["v1", V1_ONLY, V0_ONLY],
  ] as const)("has only the names of %s on demand", async (dialect, present, absent) => {
    engine().changeKnobs({ metrics_dialect: dialect });
    const metrics = await text();
    engine().changeKnobs({ metrics_dialect: "both" });
    for (const name of [...present, ...BOTH]) expect(metric(metrics, name), name).toBeDefined();
    for (const name of absent) expect(metric(metrics, name), name).toBeUndefined();
  });

  it("counts what happened", async () => {
    const before = await text();
    await post(engine(), "/v1/completions", { prompt: freshIds(160), max_tokens: 5 });
    await post(engine(), "/v1/completions", { prompt: "a", max_tokens: 50, stop: " " });
    const after = await text();
    const more = (name: string, labels = ""): number =>
      metric(after, name, labels)! - metric(before, name, labels)!;
    expect(more("vllm:prompt_tokens_total")).toBe(161);
    expect(more("vllm:generation_tokens_total")).toBe(6);
    expect(more("vllm:prefix_cache_queries_total")).toBe(161);
    expect(more("vllm:request_success_total", 'finished_reason="length"')).toBe(1);
    expect(more("vllm:request_success_total", 'finished_reason="stop"')).toBe(1);
    expect(more("vllm:inter_token_latency_seconds_count")).toBe(4);
    expect(more("vllm:request_params_n_sum")).toBe(2);
  });

  it("has queueing in the time to first token", async () => {
    const small = await startFleet({ settings: { "engine.max_num_seqs": 1 } });
    const only = decodeOf(small);
    const first = new AbortController();
    const running = fetch(`${only.url}/v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ prompt: freshIds(10), max_tokens: 20_000 }),
      signal: first.signal,
    }).catch(() => undefined);
    await until(() => only.state().ranks[0]!.running === 1);
    const second = post(only, "/v1/completions", { prompt: freshIds(10), max_tokens: 1 });
    await until(() => only.state().ranks[0]!.waiting === 1);
    const sinceMs = performance.now();
    await until(() => performance.now() - sinceMs > 50);
    const waitedMs = performance.now() - sinceMs;
    first.abort();
    await Promise.all([running, second]);
    const metrics = (await get(only, "/metrics")).text;
    const ttftS = metric(metrics, "vllm:time_to_first_token_seconds_sum")!;
    const queueS = metric(metrics, "vllm:request_queue_time_seconds_sum")!;
    await small.close();
    expect(queueS).toBeGreaterThan(waitedMs / 1000);
    expect(ttftS).toBeGreaterThan(queueS);
  });

  it("shows what runs, how full the KV cache is, and which adapters are in use", async () => {
    await post(engine(), "/v1/load_lora_adapter", { lora_name: "sql", lora_path: "p" });
    const controller = new AbortController();
    const open = fetch(`${engine().url}/v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ prompt: freshIds(1000), max_tokens: 20_000, model: "sql" }),
      signal: controller.signal,
    });
    open.catch(() => undefined);
    await until(() => engine().state().ranks[0]!.running === 1);
    const metrics = await text();
    controller.abort();
    expect(metric(metrics, "vllm:num_requests_running")).toBe(1);
    expect(metric(metrics, "vllm:kv_cache_usage_perc")).toBeGreaterThan(0.001);
    expect(metric(metrics, "vllm:lora_requests_info", 'running_lora_adapters="sql"')).toBeGreaterThan(1e9);
    await until(() => engine().state().ranks[0]!.running === 0);
    expect(metric(await text(), "vllm:request_success_total", 'finished_reason="abort"')).toBe(1);
  });
});

describe("buckets of token counts", () => {
  it.each([
    [1, [1]],
    [100, [1, 2, 5, 10, 20, 50, 100]],
    [999, [1, 2, 5, 10, 20, 50, 100, 200, 500]],
  ])("up to %d", (most, buckets) => {
    expect(oneTwoFive(most)).toEqual(buckets);
  });
});
