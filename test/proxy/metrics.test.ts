import { describe, expect, it } from "vitest";
import { post, startFleet, type Fleet } from "./support/fleet.js";
import { sendJson } from "./support/scripted-engine.js";

const BODY = { prompt: "hello", max_tokens: 2, stream: true };

/** Samples by name and labels. */
async function metricsOf({ url }: Fleet): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

describe("GET /metrics", () => {
  it("counts requests, legs and choices under vllm-router's names", async () => {
    const fleet = await startFleet({ router: { policy: "round_robin" } });
    const [prefill, decode] = [fleet.prefill[0]!.url, fleet.decode[0]!.url];
    await (await post(`${fleet.url}/v1/completions`, BODY)).text();
    await (await post(`${fleet.url}/v1/completions`, { ...BODY, n: 2 })).text();
    const route = 'route="/v1/completions"';
    expect(await metricsOf(fleet)).toMatchObject({
      [`vllm_router_requests_total{${route}}`]: 2,
      [`vllm_router_pd_requests_total{${route}}`]: 1,
      [`vllm_router_http_requests_total{${route},method="POST",status_code="200",status_class="2xx"}`]: 2,
      [`vllm_router_pd_prefill_requests_total{worker="${prefill}"}`]: 1,
      [`vllm_router_pd_decode_requests_total{worker="${decode}"}`]: 2,
      [`vllm_router_processed_requests_total{worker="${decode}"}`]: 2,
      [`vllm_router_policy_decisions_total{policy="round_robin",worker="${decode}"}`]: 2,
      [`vllm_router_running_requests{worker="${decode}"}`]: 0,
      vllm_router_max_load: 0,
      vllm_router_active_workers: 2,
      vllm_router_request_duration_seconds_count: 2,
      vllm_router_generate_duration_seconds_count: 2,
      vllm_router_pd_request_duration_seconds_count: 1,
      pdbench_time_to_first_token_seconds_count: 2,
    });
  });

  it("counts a failure at the leg that failed, and not at the one that it took along", async () => {
    const fleet = await startFleet({
      options: { connector: { connector: "sglang", remoteHost: "as_reported", decoders: {} } },
    });
    const [prefill, decode] = [fleet.prefill[0]!, fleet.decode[0]!];
    const arrived = decode.next();
    decode.script = () => undefined;
    prefill.script = async (_, res) => {
      await arrived;
      sendJson(res, 500, "{}");
    };
    expect((await post(`${fleet.url}/v1/completions`, BODY)).status).toBe(500);
    const metrics = await metricsOf(fleet);
    expect(metrics[`vllm_router_pd_prefill_errors_total{worker="${prefill.url}"}`]).toBe(1);
    expect(metrics).not.toHaveProperty([`vllm_router_pd_decode_errors_total{worker="${decode.url}"}`]);
    expect(metrics['vllm_router_request_errors_total{error_type="retryable",route="/v1/completions"}']).toBe(
      1,
    );
  });
});
