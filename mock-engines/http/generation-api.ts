import type { KvIntent } from "../kv/kv-params.js";
import type { OutputPlan } from "../output-plan.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { ApiError } from "./api-error.js";
import { flag, object, type Body } from "./body-fields.js";
import type { Sampling } from "./sampling.js";

/** A request for generation, whichever route it came by. */
export interface GenerationRequest {
  readonly model: string | null;
  readonly prompts: readonly (readonly number[])[];
  /** Texts of the prompts to put before the outputs, or null. */
  readonly echo: readonly string[] | null;
  readonly sampling: Sampling;
  readonly stream: StreamWish;
  readonly returnTokenIds: boolean;
  readonly cacheSalt: string | null;
  readonly priority: number;
  readonly kv: KvIntent;
  /** llm-d: share of the prompt that must be cached here, else the answer is empty; null = no such wish. */
  readonly cacheHitThreshold: number | null;
  /** Given in the body; a header wins over it. */
  readonly requestId: string | null;
}

/** How the answer is to be sent. */
export interface StreamWish {
  readonly on: boolean;
  /** A last chunk with `usage` and no choices. */
  readonly includeUsage: boolean;
  /** `usage` in every chunk. */
  readonly continuousUsage: boolean;
}

/** One output of an answer, as far as it has come. */
export interface Choice {
  readonly index: number;
  /** Which prompt it continues. */
  readonly prompt: number;
  readonly plan: OutputPlan;
  /** Tokens that are out. */
  emitted: number;
  finishReason: string | null;
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly total_tokens: number;
  readonly completion_tokens: number;
  readonly prompt_tokens_details?: { readonly cached_tokens: number };
}

/** An answer under way: what its JSON is made from. */
export interface Answer {
  readonly id: string;
  /** Unix time, s. */
  readonly created: number;
  readonly model: string;
  readonly request: GenerationRequest;
  readonly choices: readonly Choice[];
  readonly tokenizer: Tokenizer;
}

/** A generation route: how its requests are read and its answers written. Strings are JSON. */
export interface GenerationApi {
  /** Before the request id in the answer's id, e.g. `cmpl-`. */
  readonly idPrefix: string;
  /** Output of a request that states no limit; null = the engine's `default_output_tokens`. */
  readonly defaultMaxTokens: number | null;
  read(body: Body, tokenizer: Tokenizer): GenerationRequest;
  /** The chunk that comes before the first token of a choice, or null. */
  opening(answer: Answer, choice: Choice): string | null;
  /** The chunk for the tokens from `from` to those that are out; the last one has a finish reason. */
  delta(answer: Answer, choice: Choice, from: number, usage: Usage | null): string;
  /** The chunk with nothing but usage. */
  usage(answer: Answer, usage: Usage): string;
  /** The whole answer, not streamed. */
  whole(answer: Answer, usage: Usage, kvTransferParams: object | null): string;
}

/** @throws ApiError where stream options come without a stream */
export function readStreamWish(body: Body): StreamWish {
  const on = flag(body, "stream");
  const options = object(body, "stream_options");
  if (options !== null && !on) {
    throw new ApiError(
      400,
      "1 validation error:\n  {'type': 'value_error', 'loc': 'body', " +
        "'msg': 'Value error, Stream options can only be defined when `stream=True`.'}",
      "stream_options",
      "Bad Request",
    );
  }
  const includeUsage = options !== null && flag(options, "include_usage", true);
  return {
    on,
    includeUsage,
    continuousUsage: includeUsage && flag(options, "continuous_usage_stats"),
  };
}

/** Ids of the tokens that are out, from number `from` on. */
export function emittedIds(choice: Choice, from = 0): number[] {
  return [...choice.plan.ids.subarray(from, choice.emitted)];
}

/** The text that is out, from token `from` on. */
export function emittedText(choice: Choice, from = 0): string {
  let text = "";
  for (let i = from; i < choice.emitted; i++) text += choice.plan.text(i);
  return text;
}
