import type { JsonPath } from "./json-splice.js";

/** A parsed JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * A route whose requests generate tokens, described as data: where its prompt is and which members limit and
 * multiply what it generates. Only these routes are disaggregated; everything else belongs to the engine.
 */
export interface GenerationApi {
  readonly name: "chat" | "completions" | "responses" | "generate";
  readonly path: string;
  /** The member that holds the prompt. */
  readonly prompt: "messages" | "prompt" | "input" | "token_ids";
  /** Limits that are set on the prefill leg whether the client gave them or not. */
  readonly limits: readonly JsonPath[];
  readonly minTokens: JsonPath;
  /** Members that ask for several sequences of one prompt. */
  readonly multipliers: readonly JsonPath[];
}

const chat: GenerationApi = {
  name: "chat",
  path: "/v1/chat/completions",
  prompt: "messages",
  // vLLM takes `max_completion_tokens or max_tokens`: one of them alone would let the other through.
  limits: [["max_tokens"], ["max_completion_tokens"]],
  minTokens: ["min_tokens"],
  multipliers: [["n"], ["best_of"]],
};

const completions: GenerationApi = {
  name: "completions",
  path: "/v1/completions",
  prompt: "prompt",
  limits: [["max_tokens"]],
  minTokens: ["min_tokens"],
  multipliers: [["n"], ["best_of"]],
};

const responses: GenerationApi = {
  name: "responses",
  path: "/v1/responses",
  prompt: "input",
  limits: [["max_output_tokens"]],
  minTokens: ["min_tokens"],
  multipliers: [["n"]],
};

const generate: GenerationApi = {
  name: "generate",
  path: "/inference/v1/generate",
  prompt: "token_ids",
  limits: [["sampling_params", "max_tokens"]],
  minTokens: ["sampling_params", "min_tokens"],
  multipliers: [
    ["sampling_params", "n"],
    ["sampling_params", "best_of"],
  ],
};

export const GENERATION_APIS: readonly GenerationApi[] = [chat, completions, responses, generate];

/** The API of a request, or null when its route is the engine's own. `path` is without the query. */
export function generationApi(method: string, path: string): GenerationApi | null {
  if (method !== "POST") return null;
  return GENERATION_APIS.find((api) => api.path === path) ?? null;
}

/** The value at `path` of a parsed body; undefined where there is none. */
export function valueAt(body: JsonObject, path: JsonPath): unknown {
  let value: unknown = body;
  for (const name of path) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
