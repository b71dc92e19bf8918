import { readKvIntent } from "../kv/kv-params.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { ApiError, validationError } from "./api-error.js";
import { flag, float, integer, object, text, tokenIds, type Body } from "./body-fields.js";
import {
  emittedIds,
  emittedText,
  readStreamWish,
  type Answer,
  type Choice,
  type GenerationApi,
} from "./generation-api.js";
import { completionLogprobs } from "./logprobs.js";
import { readSampling } from "./sampling.js";

/** `/v1/completions` (vLLM 0.19 `entrypoints/openai/completion`). */
export const completionApi: GenerationApi = {
  idPrefix: "cmpl-",
  defaultMaxTokens: 16,

  read(body, tokenizer) {
    const prompts = readPrompts(body, tokenizer);
    const maxTokens = integer(body, "max_tokens");
    const echo = flag(body, "echo");
    // Asking for the prompt alone still runs one step.
    const asked = echo && maxTokens === 0 ? 1 : maxTokens;
    return {
      model: text(body, "model"),
      prompts: prompts.map(({ ids }) => ids),
      echo: echo ? prompts.map(({ ids, text: given }) => given ?? tokenizer.decode(ids)) : null,
      sampling: readSampling(body, asked, integer(body, "logprobs")),
      stream: readStreamWish(body),
      returnTokenIds: flag(body, "return_token_ids"),
      cacheSalt: text(body, "cache_salt"),
      priority: integer(body, "priority", 0),
      kv: readKvIntent(object(body, "kv_transfer_params")),
      cacheHitThreshold: float(body, "cache_hit_threshold"),
      requestId: text(body, "request_id"),
    };
  },

  opening: () => null,

  delta(answer, choice, from, usage) {
    const { echo, returnTokenIds } = answer.request;
    const before = from === 0 && echo !== null ? echo[choice.prompt]! : "";
    return JSON.stringify({
      ...head(answer),
      choices: [
        {
          index: choice.index,
          text: before + emittedText(choice, from),
          logprobs: logprobsOf(answer, choice, from),
          finish_reason: choice.finishReason,
          stop_reason: choice.finishReason === null ? null : choice.plan.stopReason,
          prompt_token_ids: returnTokenIds && from === 0 ? answer.request.prompts[choice.prompt] : null,
          token_ids: returnTokenIds ? emittedIds(choice, from) : null,
        },
      ],
      ...(usage === null ? {} : { usage }),
    });
  },

  usage: (answer, usage) => JSON.stringify({ ...head(answer), choices: [], usage }),

  whole(answer, usage, kvTransferParams) {
    const { echo, returnTokenIds, prompts } = answer.request;
    return JSON.stringify({
      ...head(answer),
      choices: answer.choices.map((choice) => ({
        index: choice.index,
        text: (echo === null ? "" : echo[choice.prompt]!) + emittedText(choice),
        logprobs: logprobsOf(answer, choice, 0),
        finish_reason: choice.finishReason,
        stop_reason: choice.plan.stopReason,
        token_ids: returnTokenIds ? emittedIds(choice) : null,
        prompt_logprobs: null,
        prompt_token_ids: returnTokenIds ? prompts[choice.prompt] : null,
      })),
      service_tier: null,
      system_fingerprint: null,
      usage,
      kv_transfer_params: kvTransferParams,
    });
  },
};

interface Prompt {
  readonly ids: readonly number[];
  /** Null where the client sent ids. */
  readonly text: string | null;
}

/** A text, token ids, or a list of either. */
function readPrompts(body: Body, tokenizer: Tokenizer): readonly Prompt[] {
  const prompt = body["prompt"] ?? null;
  if (prompt === null || prompt === "") {
    throw new ApiError(
      400,
      "1 validation error:\n  {'type': 'value_error', 'loc': 'body', " +
        "'msg': 'Value error, Either prompt or prompt_embeds must be provided and non-empty.'}",
      "prompt",
      "Bad Request",
    );
  }
  const addSpecialTokens = flag(body, "add_special_tokens", true);
  const encoded = (text: string): Prompt => ({ ids: tokenizer.encode(text, addSpecialTokens), text });
  if (typeof prompt === "string") return [encoded(prompt)];
  if (!Array.isArray(prompt)) throw wrongPrompt(prompt);
  if (prompt.length === 0) throw new ApiError(400, "You must pass at least one prompt", "prompt");
  if (prompt.every((item) => typeof item === "string")) return prompt.map(encoded);
  if (prompt.every((item) => typeof item === "number")) {
    return [{ ids: tokenIds(prompt, "prompt"), text: null }];
  }
  if (!prompt.every((item) => Array.isArray(item))) throw wrongPrompt(prompt);
  return prompt.map((ids, i) => ({ ids: tokenIds(ids, `prompt.${i}`), text: null }));
}

function wrongPrompt(prompt: unknown): ApiError {
  const problem = "Input should be a string, a list of strings, token ids or lists of token ids";
  return validationError("string_type", "prompt", problem, prompt);
}

function head(answer: Answer): object {
  const { id, created, model } = answer;
  return { id, object: "text_completion", created, model };
}

function logprobsOf(answer: Answer, choice: Choice, from: number): object | null {
  const { logprobs } = answer.request.sampling;
  return logprobs === null ? null : completionLogprobs(choice, from, logprobs, answer.tokenizer);
}
