import { readKvIntent } from "../kv/kv-params.js";
import { float, integer, missing, object, text, tokenIds, type Body } from "./body-fields.js";
import {
  emittedIds,
  readStreamWish,
  type Answer,
  type Choice,
  type GenerationApi,
} from "./generation-api.js";
import { tokenIdLogprobs } from "./logprobs.js";
import { readSampling } from "./sampling.js";

/** `/inference/v1/generate`: token ids in, token ids out (vLLM 0.19 `entrypoints/serve/disagg`). */
export const generateApi: GenerationApi = {
  idPrefix: "generate-tokens-",
  defaultMaxTokens: null,

  read(body) {
    if ((body["token_ids"] ?? null) === null) throw missing("token_ids");
    const sampling = object(body, "sampling_params");
    if (sampling === null) throw missing("sampling_params");
    return {
      model: text(body, "model"),
      prompts: [tokenIds(body["token_ids"], "token_ids")],
      echo: null,
      sampling: readSampling(sampling, integer(sampling, "max_tokens"), integer(sampling, "logprobs")),
      stream: readStreamWish(body),
      returnTokenIds: true,
      cacheSalt: text(body, "cache_salt"),
      priority: integer(body, "priority", 0),
      kv: readKvIntent(kvParams(body, sampling)),
      cacheHitThreshold: float(body, "cache_hit_threshold"),
      requestId: text(body, "request_id"),
    };
  },

  opening: () => null,

  delta(answer, choice, from, usage) {
    return JSON.stringify({
      request_id: answer.id,
      choices: [
        {
          index: choice.index,
          logprobs: logprobsOf(answer, choice, from),
          finish_reason: choice.finishReason,
          token_ids: emittedIds(choice, from),
        },
      ],
      ...(usage === null ? {} : { usage }),
    });
  },

  usage: (answer, usage) => JSON.stringify({ request_id: answer.id, choices: [], usage }),

  whole(answer, usage, kvTransferParams) {
    return JSON.stringify({
      request_id: answer.id,
      choices: answer.choices.map((choice) => ({
        index: choice.index,
        logprobs: logprobsOf(answer, choice, 0),
        finish_reason: choice.finishReason,
        token_ids: emittedIds(choice),
      })),
      prompt_logprobs: null,
      kv_transfer_params: kvTransferParams,
      usage,
    });
  },
};

/** At the top of the body or, as vLLM's own client sends it, under `sampling_params.extra_args`. */
function kvParams(body: Body, sampling: Body): Body | null {
  const extra = object(sampling, "extra_args");
  return object(body, "kv_transfer_params") ?? (extra === null ? null : object(extra, "kv_transfer_params"));
}

function logprobsOf(answer: Answer, choice: Choice, from: number): object | null {
  const { logprobs } = answer.request.sampling;
  return logprobs === null ? null : tokenIdLogprobs(choice, from, logprobs, answer.tokenizer);
}
