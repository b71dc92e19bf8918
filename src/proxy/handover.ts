import { isObject, valueAt, type GenerationApi, type JsonObject } from "./generation-api.js";

/**
 * Why the KV cache of a request cannot be handed from a prefill to a decode worker; null when it can. A
 * handle names the blocks of one sequence, and only the engine that computes a prompt has the logits of its
 * tokens, so these requests go to a decode worker whole:
 *
 * - `several_sequences`: `n`, `best_of` or beam search above `maxSequences` of the dialect, or several prompts
 *   (vLLM reports the first prompt's handle only);
 * - `prompt_logprobs`: log probabilities of prompt tokens, by name or as `echo` with `logprobs`;
 * - `stored_response`: a `/v1/responses` request that refers to, or becomes, state inside one engine.
 */
export type Obstacle = "several_sequences" | "prompt_logprobs" | "stored_response";

export function handoverObstacle(
  api: GenerationApi,
  body: JsonObject,
  maxSequences: number,
): Obstacle | null {
  if (sequencesOf(api, body) > maxSequences) return "several_sequences";
  if (asksForPromptLogprobs(body)) return "prompt_logprobs";
  if (api.name === "responses" && (body["previous_response_id"] != null || body["background"] === true)) {
    return "stored_response";
  }
  return null;
}

/** Sequences that a request makes: its prompts times the largest of its multipliers. */
export function sequencesOf(api: GenerationApi, body: JsonObject): number {
  let perPrompt = body["use_beam_search"] === true ? 2 : 1;
  for (const path of api.multipliers) {
    const value = Number(valueAt(body, path) ?? 1);
    if (value > perPrompt) perPrompt = value;
  }
  return promptsOf(body[api.prompt]) * perPrompt;
}

/** A list of texts or of id lists is a batch; a list of ids, messages or response items is one prompt. */
function promptsOf(prompt: unknown): number {
  if (!Array.isArray(prompt)) return 1;
  const isBatch = typeof prompt[0] === "string" || Array.isArray(prompt[0]);
  return isBatch ? prompt.length : 1;
}

function asksForPromptLogprobs(body: JsonObject): boolean {
  const sampling = body["sampling_params"];
  if (body["prompt_logprobs"] != null) return true;
  if (isObject(sampling) && sampling["prompt_logprobs"] != null) return true;
  const logprobs = body["logprobs"];
  return body["echo"] === true && logprobs != null && logprobs !== false;
}
