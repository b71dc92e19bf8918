import {
  startMockEngines,
  type MockEnginesOptions,
  type MockFleet,
  type RunningEngine,
} from "../../mock-engines/start-mock-engines.js";

/** A prefill and a decode engine of a small model. */
export const SETTINGS = {
  prefill_workers: 1,
  decode_workers: 1,
  profile: "llama-3.1-8b-h100-tp1-bf16",
  "engine.vllm_version": "main-2026-08",
};

/** They, or others by `options.settings`, twenty times as fast as the wall clock. */
export function startFleet(options: MockEnginesOptions = {}): Promise<MockFleet> {
  return startMockEngines({
    timeScale: 0.05,
    ...options,
    settings: { ...SETTINGS, ...options.settings },
  });
}

export function prefillOf(fleet: MockFleet): RunningEngine {
  return fleet.engines.find(({ role }) => role === "prefill")!;
}

export function decodeOf(fleet: MockFleet): RunningEngine {
  return fleet.engines.find(({ role }) => role === "decode")!;
}

/** What came back: status, headers, and the body as text and as JSON where it is JSON. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Json;
}

/** Every field of the answers and events that tests look at. */
export interface Json {
  readonly id: string;
  readonly object: string;
  readonly model: string;
  readonly request_id: string;
  readonly choices: readonly {
    readonly index: number;
    readonly text: string;
    readonly message: { readonly role: string; readonly content: string };
    readonly delta: { readonly role?: string; readonly content?: string };
    readonly finish_reason: string | null;
    readonly stop_reason: string | number | null;
    readonly token_ids: readonly number[];
    readonly prompt_token_ids: readonly number[] | null;
    readonly logprobs: LogprobsJson;
  }[];
  readonly usage: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly prompt_tokens_details?: { readonly cached_tokens: number };
  };
  readonly kv_transfer_params: Readonly<Record<string, unknown>>;
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: number;
  };
  readonly data: readonly { readonly id: string; readonly parent: string | null }[];
  readonly tokens: readonly number[];
  readonly token_strs: readonly string[] | null;
  readonly count: number;
  readonly prompt: string;
  readonly [field: string]: unknown;
}

export interface LogprobsJson {
  readonly tokens: readonly string[];
  readonly token_logprobs: readonly number[];
  readonly content: readonly {
    readonly token: string;
    readonly logprob: number;
    readonly top_logprobs: readonly unknown[];
  }[];
}

export async function post(
  engine: { readonly url: string },
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const response = await fetch(`${engine.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return reply(response);
}

export async function get(engine: { readonly url: string }, path: string): Promise<Reply> {
  return reply(await fetch(`${engine.url}${path}`));
}

async function reply(response: Response): Promise<Reply> {
  const text = await response.text();
  const isJson = (response.headers.get("content-type") ?? "").startsWith("application/json");
  const json = (isJson ? JSON.parse(text) : {}) as Json;
  return { status: response.status, headers: response.headers, text, json };
}

/** The events of a stream, parsed, without the closing `[DONE]`. */
export function events(text: string): Json[] {
  return text
    .split("\n\n")
    .filter((event) => event !== "" && event !== "data: [DONE]")
    .map((event) => JSON.parse(event.replace(/^data: /, "")) as Json);
}

/** A sample of the metrics text, or undefined. */
export function metric(text: string, name: string, labels = ""): number | undefined {
  const line = text
    .split("\n")
    .find((candidate) => candidate.startsWith(`${name}{`) && candidate.includes(labels));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(" ") + 1));
}

/** Resolves as soon as `holds()`; looks again after every turn of the event loop. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

/** `count` token ids that no other call has used. */
export function freshIds(count: number): number[] {
  const first = (next += count);
  return Array.from({ length: count }, (_, i) => first + i);
}

let next = 1000;
