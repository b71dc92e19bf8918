import { describe, expect, it } from "vitest";
import { prefillLegEdits } from "../../../src/proxy/dialects/prefill-leg.js";
import type { GenerationApi } from "../../../src/proxy/generation-api.js";
import { spliceJson } from "../../../src/proxy/json-splice.js";
import { legContext } from "../support/leg-context.js";

function prefillLeg(api: GenerationApi["name"], body: object): unknown {
  const { api: described, json, body: bytes } = legContext(api, body);
  return JSON.parse(spliceJson(bytes, prefillLegEdits(described, json)).toString());
}

describe("the prefill leg generates one token", () => {
  it.each<[string, GenerationApi["name"], object, object]>([
    ["chat without a limit", "chat", {}, { max_tokens: 1, max_completion_tokens: 1 }],
    ["chat with max_tokens", "chat", { max_tokens: 100 }, { max_tokens: 1, max_completion_tokens: 1 }],
    [
      "chat with max_completion_tokens",
      "chat",
      { max_completion_tokens: 64 },
      { max_completion_tokens: 1, max_tokens: 1 },
    ],
    [
      "chat with both limits",
      "chat",
      { max_tokens: 9, max_completion_tokens: 64 },
      { max_tokens: 1, max_completion_tokens: 1 },
    ],
    ["a completion", "completions", { max_tokens: 100 }, { max_tokens: 1 }],
    ["a completion without a limit", "completions", {}, { max_tokens: 1 }],
    [
      "a completion with the other field",
      "completions",
      { max_completion_tokens: 7 },
      { max_completion_tokens: 1, max_tokens: 1 },
    ],
    ["a response", "responses", { max_output_tokens: 50 }, { max_output_tokens: 1, store: false }],
    [
      "token in, token out",
      "generate",
      { sampling_params: { max_tokens: 9, temperature: 0 } },
      { sampling_params: { max_tokens: 1, temperature: 0 } },
    ],
    ["token in, token out without parameters", "generate", {}, { sampling_params: { max_tokens: 1 } }],
    [
      "min_tokens above it",
      "completions",
      { max_tokens: 8, min_tokens: 5 },
      { max_tokens: 1, min_tokens: 1 },
    ],
    ["min_tokens of one", "completions", { min_tokens: 1 }, { min_tokens: 1, max_tokens: 1 }],
    ["min_tokens of none", "completions", { min_tokens: 0 }, { min_tokens: 0, max_tokens: 1 }],
    [
      "nested min_tokens and n",
      "generate",
      { sampling_params: { min_tokens: 4, n: 3 } },
      { sampling_params: { min_tokens: 1, n: 1, max_tokens: 1 } },
    ],
    ["n and best_of", "completions", { n: 3, best_of: 5 }, { n: 1, best_of: 1, max_tokens: 1 }],
    ["a stream", "completions", { stream: true, stream_options: { include_usage: true } }, { max_tokens: 1 }],
  ])("%s", (_, api, body, expected) => {
    expect(prefillLeg(api, body)).toEqual({ ...expected, stream: false });
  });

  it("keeps everything else byte for byte", () => {
    const text =
      '{"messages":[{"role":"user","content":"h\\u00e9"}],"tools":[{"10":1,"2":9007199254740993}],"seed":1.0}';
    const { api, json, body } = legContext("chat", text);
    const leg = spliceJson(body, prefillLegEdits(api, json)).toString();
    expect(leg.startsWith(text.slice(0, -1))).toBe(true);
  });

  it("keeps n where both legs make all sequences", () => {
    const { api, json } = legContext("completions", { n: 3 });
    expect(prefillLegEdits(api, json, "all").some(({ path }) => path[0] === "n")).toBe(false);
  });
});
