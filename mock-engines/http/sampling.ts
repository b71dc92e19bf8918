import { ApiError } from "./api-error.js";
import { flag, float, integer, list, texts, type Body } from "./body-fields.js";

/** What a request asks of the generation; limits are checked by `checkSampling`. */
export interface Sampling {
  readonly n: number;
  /** Null = not given. */
  readonly maxTokens: number | null;
  readonly minTokens: number;
  readonly ignoreEos: boolean;
  readonly seed: number | null;
  readonly stop: readonly string[];
  readonly stopTokenIds: readonly number[];
  readonly includeStop: boolean;
  /** Alternatives per token to report; null = no log probabilities at all. */
  readonly logprobs: number | null;
  readonly temperature: number;
}

const MAX_LOGPROBS = 20;
const MAX_N = 16_384;

/**
 * Reads the fields that all generation routes share (vLLM's SamplingParams).
 *
 * @param maxTokens as the route names it
 * @param logprobs as the route means it
 */
export function readSampling(body: Body, maxTokens: number | null, logprobs: number | null): Sampling {
  checkRanges(body);
  return {
    n: integer(body, "n", 1),
    maxTokens,
    minTokens: integer(body, "min_tokens", 0),
    ignoreEos: flag(body, "ignore_eos"),
    seed: integer(body, "seed"),
    stop: texts(body, "stop"),
    stopTokenIds: stopTokenIds(body),
    includeStop: flag(body, "include_stop_str_in_output"),
    logprobs,
    temperature: float(body, "temperature", 1),
  };
}

function stopTokenIds(body: Body): readonly number[] {
  const ids = list(body, "stop_token_ids") ?? [];
  if (!ids.every(Number.isInteger)) {
    throw new ApiError(400, `stop_token_ids must contain only integers, got [${ids.join(", ")}].`);
  }
  return ids as number[];
}

/** Ranges of fields that have no effect on a model that computes nothing, but that vLLM checks. */
function checkRanges(body: Body): void {
  for (const name of ["presence_penalty", "frequency_penalty"]) {
    const value = float(body, name);
    if (value !== null && Math.abs(value) > 2)
      throw refuse(`${name} must be in [-2, 2], got ${value}.`, name);
  }
  const repetition = float(body, "repetition_penalty");
  if (repetition !== null && repetition <= 0) {
    throw refuse(`repetition_penalty must be greater than zero, got ${repetition}.`, "repetition_penalty");
  }
  const topP = float(body, "top_p");
  if (topP !== null && !(topP > 0 && topP <= 1))
    throw refuse(`top_p must be in (0, 1], got ${topP}.`, "top_p");
  const topK = integer(body, "top_k");
  if (topK !== null && topK < -1) {
    throw refuse(`top_k must be 0 (disable), or at least 1, got ${topK}.`, "top_k");
  }
  const minP = float(body, "min_p");
  if (minP !== null && !(minP >= 0 && minP <= 1))
    throw refuse(`min_p must be in [0, 1], got ${minP}.`, "min_p");
}

/**
 * The checks of vLLM's SamplingParams, in its order and words.
 *
 * @param maxTokens after the route's default and the room in the context
 * @throws ApiError
 */
export function checkSampling(sampling: Sampling, maxTokens: number): void {
  const { n, temperature, minTokens, logprobs, stop } = sampling;
  if (n < 1) throw refuse(`n must be at least 1, got ${n}.`, "n");
  if (n > MAX_N) throw refuse(`n must be at most ${MAX_N}, got ${n}.`, "n");
  if (temperature < 0) throw refuse(`temperature must be non-negative, got ${temperature}.`, "temperature");
  if (maxTokens < 1) throw refuse(`max_tokens must be at least 1, got ${maxTokens}.`, "max_tokens");
  if (minTokens < 0) {
    throw refuse(`min_tokens must be greater than or equal to 0, got ${minTokens}.`, "min_tokens");
  }
  if (minTokens > maxTokens) {
    throw refuse(
      `min_tokens must be less than or equal to max_tokens=${maxTokens}, got ${minTokens}.`,
      "min_tokens",
    );
  }
  if (logprobs !== null && logprobs < 0) {
    throw refuse(`logprobs must be non-negative or -1, got ${logprobs}.`, "logprobs");
  }
  if (logprobs !== null && logprobs > MAX_LOGPROBS) {
    throw refuse(
      `Requested sample logprobs of ${logprobs}, which is greater than max allowed: ${MAX_LOGPROBS}`,
      "logprobs",
    );
  }
  if (stop.includes("")) throw refuse("stop cannot contain an empty string.", "stop");
  if (temperature < 1e-5 && n > 1) throw refuse(`n must be 1 when using greedy sampling, got ${n}.`, "n");
}

/**
 * Room for output after a prompt.
 *
 * @throws ApiError when prompt and output do not fit into the context together
 */
export function outputRoom(promptTokens: number, maxTokens: number | null, maxModelLen: number): number {
  if (maxTokens !== null && maxTokens > maxModelLen) {
    throw refuse(
      `max_tokens=${maxTokens} cannot be greater than max_model_len=${maxModelLen}. ` +
        "Please request fewer output tokens.",
      "max_tokens",
    );
  }
  const asked = maxTokens ?? 0;
  if (promptTokens + asked > maxModelLen || promptTokens >= maxModelLen) {
    throw refuse(
      `This model's maximum context length is ${maxModelLen} tokens. However, you requested ${asked} output ` +
        `tokens and your prompt contains at least ${promptTokens} input tokens, for a total of at least ` +
        `${promptTokens + asked} tokens. Please reduce the length of the input prompt or the number of ` +
        "requested output tokens.",
      "input_tokens",
    );
  }
  return maxModelLen - promptTokens;
}

function refuse(message: string, param: string): ApiError {
  return new ApiError(400, message, param);
}
