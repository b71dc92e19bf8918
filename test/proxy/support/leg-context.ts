import type { LegContext, WorkerAddress } from "../../../src/proxy/dialects/dialect.js";
import { GENERATION_APIS, type GenerationApi, type JsonObject } from "../../../src/proxy/generation-api.js";

export function apiNamed(name: GenerationApi["name"]): GenerationApi {
  return GENERATION_APIS.find((api) => api.name === name)!;
}

export const PREFILL: WorkerAddress = {
  origin: "http://10.0.0.1:8100",
  hostname: "10.0.0.1",
  rank: null,
  bootstrapPort: null,
};

export const DECODE: WorkerAddress = {
  origin: "http://10.0.0.2:8200",
  hostname: "10.0.0.2",
  rank: null,
  bootstrapPort: null,
};

/** The context of a request with this body; `changes` win. */
export function legContext(
  api: GenerationApi["name"],
  body: string | object,
  changes: Partial<LegContext> = {},
): LegContext {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return {
    api: apiNamed(api),
    body: Buffer.from(text),
    json: JSON.parse(text) as JsonObject,
    requestId: "req-1",
    prefill: PREFILL,
    decode: DECODE,
    room: 9007199254740993n,
    ...changes,
  };
}
