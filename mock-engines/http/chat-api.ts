import { readKvIntent } from "../kv/kv-params.js";
import { ApiError } from "./api-error.js";
import { flag, float, integer, object, text, type Body } from "./body-fields.js";
import { chatPrompt } from "./chat-prompt.js";
import {
  emittedIds,
  emittedText,
  readStreamWish,
  type Answer,
  type Choice,
  type GenerationApi,
} from "./generation-api.js";
import { chatLogprobs } from "./logprobs.js";
import { readSampling } from "./sampling.js";

/** `/v1/chat/completions` (vLLM 0.19 `entrypoints/openai/chat_completion`). */
export const chatApi: GenerationApi = {
  idPrefix: "chatcmpl-",
  defaultMaxTokens: null,

  read(body, tokenizer) {
    return {
      model: text(body, "model"),
      prompts: [chatPrompt(body, tokenizer)],
      echo: null,
      sampling: readSampling(body, readMaxTokens(body), readLogprobs(body)),
      stream: readStreamWish(body),
      returnTokenIds: flag(body, "return_token_ids"),
      cacheSalt: text(body, "cache_salt"),
      priority: integer(body, "priority", 0),
      kv: readKvIntent(object(body, "kv_transfer_params")),
      cacheHitThreshold: float(body, "cache_hit_threshold"),
      requestId: text(body, "request_id"),
    };
  },

  opening(answer, choice) {
    const { returnTokenIds, prompts } = answer.request;
    return JSON.stringify({
      ...head(answer, "chat.completion.chunk"),
      choices: [
        {
          index: choice.index,
          delta: { role: "assistant", content: "" },
          logprobs: null,
          finish_reason: null,
        },
      ],
      prompt_token_ids: returnTokenIds ? prompts[0] : null,
    });
  },

  delta(answer, choice, from, usage) {
    const { finishReason } = choice;
    return JSON.stringify({
      ...head(answer, "chat.completion.chunk"),
      choices: [
        {
          index: choice.index,
          delta: { content: emittedText(choice, from) },
          logprobs: logprobsOf(answer, choice, from),
          finish_reason: finishReason,
          ...(finishReason === null ? {} : { stop_reason: choice.plan.stopReason }),
          token_ids: answer.request.returnTokenIds ? emittedIds(choice, from) : null,
        },
      ],
      ...(usage === null ? {} : { usage }),
    });
  },

  usage: (answer, usage) => JSON.stringify({ ...head(answer, "chat.completion.chunk"), choices: [], usage }),

  whole(answer, usage, kvTransferParams) {
    const { returnTokenIds, prompts } = answer.request;
    return JSON.stringify({
      ...head(answer, "chat.completion"),
      choices: answer.choices.map((choice) => ({
        index: choice.index,
        message: {
          role: "assistant",
          content: emittedText(choice),
          refusal: null,
          annotations: null,
          audio: null,
          function_call: null,
          reasoning: null,
        },
        logprobs: logprobsOf(answer, choice, 0),
        finish_reason: choice.finishReason,
        stop_reason: choice.plan.stopReason,
        token_ids: returnTokenIds ? emittedIds(choice) : null,
      })),
      service_tier: null,
      system_fingerprint: null,
      usage,
      prompt_logprobs: null,
      prompt_token_ids: returnTokenIds ? prompts[0] : null,
      kv_transfer_params: kvTransferParams,
    });
  },
};

/** The newer field wins over the deprecated one. */
function readMaxTokens(body: Body): number | null {
  return integer(body, "max_completion_tokens") ?? integer(body, "max_tokens");
}

function readLogprobs(body: Body): number | null {
  const top = integer(body, "top_logprobs");
  if (flag(body, "logprobs")) return top ?? 0;
  if (top !== null && top > 0) {
    throw new ApiError(
      400,
      "1 validation error:\n  {'type': 'value_error', 'loc': 'body', " +
        "'msg': 'Value error, when using `top_logprobs`, `logprobs` must be set to true.'}",
      "top_logprobs",
      "Bad Request",
    );
  }
  return null;
}

function head(answer: Answer, kind: string): object {
  const { id, created, model } = answer;
  return { id, object: kind, created, model };
}

function logprobsOf(answer: Answer, choice: Choice, from: number): object | null {
  const { logprobs } = answer.request.sampling;
  return logprobs === null ? null : chatLogprobs(choice, from, logprobs, answer.tokenizer);
}
