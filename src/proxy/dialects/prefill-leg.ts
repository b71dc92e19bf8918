import { valueAt, type GenerationApi, type JsonObject } from "../generation-api.js";
import type { JsonEdit, JsonPath } from "../json-splice.js";

/** Every member that limits what is generated, in any API. */
const KNOWN_LIMITS: readonly JsonPath[] = [
  ["max_tokens"],
  ["max_completion_tokens"],
  ["max_output_tokens"],
  ["sampling_params", "max_tokens"],
];

/**
 * Edits that turn a client's request into a prefill leg: exactly one token, answered as one JSON document.
 * Limits of other APIs that the client gave as well are set too. `min_tokens` above the one token would make
 * vLLM answer 400; `n` would multiply the token, so it goes to 1 unless both legs make `all` sequences.
 */
export function prefillLegEdits(
  api: GenerationApi,
  body: JsonObject,
  sequences: "one" | "all" = "one",
): JsonEdit[] {
  const edits: JsonEdit[] = [];
  for (const path of KNOWN_LIMITS) {
    const isItsOwn = api.limits.some((limit) => limit.join(".") === path.join("."));
    if (isItsOwn || valueAt(body, path) !== undefined) edits.push({ path, value: "1" });
  }
  const minTokens = valueAt(body, api.minTokens);
  if (minTokens !== undefined && minTokens !== 0 && minTokens !== 1) {
    edits.push({ path: api.minTokens, value: "1" });
  }
  for (const path of sequences === "one" ? api.multipliers : []) {
    if (valueAt(body, path) !== undefined) edits.push({ path, value: "1" });
  }
  edits.push({ path: ["stream"], value: "false" }, { path: ["stream_options"], value: null });
  // A stored one-token response would stay in the prefill engine for good.
  if (api.name === "responses") edits.push({ path: ["store"], value: "false" });
  return edits;
}
