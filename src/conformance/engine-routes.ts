import type { ServerResponse } from "node:http";
import { createHash } from "node:crypto";
import type { Leg } from "./wire.js";

/** Member of an answer that holds a digest of the request's body, for routes an engine does not have. */
export const BODY_DIGEST = "body_sha256";

/** What vLLM answers on the routes that routers ask on their own account; anything else is echoed. */
export function answerOtherRoute(leg: Leg, response: ServerResponse, model: string): void {
  const path = leg.url.split("?")[0]!;
  const known = KNOWN[path]?.(leg, model);
  if (known !== undefined) send(response, known.type, known.text);
  else send(response, "application/json", echo(leg));
}

/** What an engine answers on a route it does not have: enough to see what reached it. */
export function echo({ engine, method, url, body }: Leg): string {
  return JSON.stringify({ engine, method, url, [BODY_DIGEST]: digestOf(body) });
}

export function digestOf(body: Buffer | string): string {
  return createHash("sha256").update(body).digest("hex");
}

interface Known {
  readonly type: string;
  readonly text: string;
}

const json = (value: unknown): Known => ({ type: "application/json", text: JSON.stringify(value) });

const KNOWN: Readonly<Record<string, (leg: Leg, model: string) => Known>> = {
  "/health": () => ({ type: "text/plain", text: "" }),
  "/ping": () => ({ type: "text/plain", text: "" }),
  "/health_generate": () => ({ type: "text/plain", text: "" }),
  "/v1/models": (_, model) =>
    json({
      object: "list",
      data: [
        {
          id: model,
          object: "model",
          created: 1,
          owned_by: "vllm",
          root: model,
          parent: null,
          max_model_len: 131072,
        },
      ],
    }),
  "/version": () => json({ version: "0.19.0" }),
  "/is_sleeping": () => json({ is_sleeping: false }),
  "/load": () => json({ server_load: 0 }),
  "/get_load": () => json({ load: 0 }),
  "/get_server_info": () => json({ max_running_requests: 256 }),
  "/server_info": () => json({ max_running_requests: 256 }),
  "/get_model_info": (_, model) => json({ model_path: model, is_generation: true }),
  // Mooncake's bootstrap server, which the kit has on the engine's own port.
  "/query": ({ engine }) => json({ "0": { engine_id: engineIdOf(engine) } }),
  "/metrics": (_, model) => ({ type: "text/plain; version=0.0.4", text: metricsOf(model) }),
};

/** The id under which an engine's KV connector is known to its peers. */
export function engineIdOf(engine: string): string {
  return `pdbench-engine-${engine}`;
}

function metricsOf(model: string): string {
  const names = [
    "num_requests_running",
    "num_requests_waiting",
    "kv_cache_usage_perc",
    "gpu_cache_usage_perc",
  ];
  return names
    .map((name) => `# TYPE vllm:${name} gauge\nvllm:${name}{engine="0",model_name="${model}"} 0\n`)
    .join("");
}

function send(response: ServerResponse, type: string, text: string): void {
  response.writeHead(200, { "content-type": type, "content-length": Buffer.byteLength(text) });
  response.end(text);
}
