import { describe, expect, it } from "vitest";
import type { GenerationApi } from "../../src/proxy/generation-api.js";
import { handoverObstacle } from "../../src/proxy/handover.js";
import { apiNamed } from "./support/leg-context.js";

describe("a request whose KV cannot be handed over", () => {
  it.each<[string, GenerationApi["name"], Record<string, unknown>, string | null]>([
    ["one prompt, one answer", "completions", { prompt: "x", n: 1 }, null],
    ["several answers", "completions", { prompt: "x", n: 2 }, "several_sequences"],
    ["the best of several", "completions", { prompt: "x", best_of: 2 }, "several_sequences"],
    ["beam search", "completions", { prompt: "x", use_beam_search: true }, "several_sequences"],
    ["nested n", "generate", { token_ids: [1], sampling_params: { n: 2 } }, "several_sequences"],
    ["a batch of texts", "completions", { prompt: ["x", "y"] }, "several_sequences"],
    ["a batch of id lists", "completions", { prompt: [[1], [2]] }, "several_sequences"],
    ["a batch of one", "completions", { prompt: [[1, 2]] }, null],
    ["one list of ids", "completions", { prompt: [1, 2] }, null],
    ["several messages", "chat", { messages: [{}, {}] }, null],
    ["prompt logprobs", "completions", { prompt: "x", prompt_logprobs: 0 }, "prompt_logprobs"],
    [
      "nested prompt logprobs",
      "generate",
      { token_ids: [1], sampling_params: { prompt_logprobs: 1 } },
      "prompt_logprobs",
    ],
    ["an echo with logprobs", "completions", { prompt: "x", echo: true, logprobs: 1 }, "prompt_logprobs"],
    ["an echo without", "completions", { prompt: "x", echo: true }, null],
    ["logprobs of the answer", "chat", { messages: [], logprobs: true }, null],
    [
      "a response that continues one",
      "responses",
      { input: "x", previous_response_id: "r" },
      "stored_response",
    ],
    ["a response in the background", "responses", { input: "x", background: true }, "stored_response"],
    ["a plain response", "responses", { input: "x" }, null],
  ])("%s", (_, api, body, obstacle) => {
    expect(handoverObstacle(apiNamed(api), body, 1)).toBe(obstacle);
  });

  it("may make several sequences where the dialect has a way for each", () => {
    expect(handoverObstacle(apiNamed("completions"), { prompt: ["x", "y"], n: 4 }, Infinity)).toBeNull();
  });
});
