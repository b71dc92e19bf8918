import { describe, expect, it } from "vitest";
import { readAnswerPart } from "../../src/proxy/openai-answer.js";

describe("tokens that an event of a stream carries", () => {
  it.each<[string, unknown, number]>([
    ["a role chunk of chat", { choices: [{ delta: { role: "assistant", content: "" } }] }, 0],
    ["a content chunk", { choices: [{ delta: { content: "x" }, finish_reason: null }] }, 1],
    ["a role chunk with content", { choices: [{ delta: { role: "assistant", content: "x" } }] }, 1],
    ["half a character", { choices: [{ delta: { content: "" }, finish_reason: null }] }, 1],
    ["a finish chunk", { choices: [{ delta: { content: "" }, finish_reason: "stop" }] }, 0],
    ["reasoning", { choices: [{ delta: { reasoning_content: "hm" } }] }, 1],
    ["a tool call", { choices: [{ delta: { tool_calls: [{}] } }] }, 1],
    ["text of a completion", { choices: [{ text: "x", finish_reason: "length" }] }, 1],
    ["an empty text that ends it", { choices: [{ text: "", finish_reason: "length" }] }, 0],
    ["token ids", { choices: [{ token_ids: [1, 2, 3] }] }, 3],
    ["two choices", { choices: [{ text: "x" }, { text: "y" }] }, 2],
    ["the usage chunk", { choices: [], usage: { prompt_tokens: 1 } }, 0],
  ])("%s", (_, event, tokens) => {
    expect(readAnswerPart(JSON.stringify(event)).tokens).toBe(tokens);
  });

  it("are known by their ids where there are any", () => {
    const known = (choice: object) => readAnswerPart(JSON.stringify({ choices: [choice] })).hasTokenIds;
    expect(known({ text: "xyz", token_ids: [7, 8, 9] })).toBe(true);
    expect(known({ delta: { content: "x" }, token_ids: null })).toBe(false);
  });

  it("are none in [DONE] and in what is no JSON", () => {
    expect(readAnswerPart("[DONE]").tokens).toBe(0);
    expect(readAnswerPart("{oops").tokens).toBe(0);
  });
});

describe("usage and errors", () => {
  it("are read where they are", () => {
    const usage = { prompt_tokens: 9, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 8 } };
    expect(readAnswerPart(JSON.stringify({ choices: [], usage })).usage).toEqual({
      promptTokens: 9,
      completionTokens: 3,
      cachedTokens: 8,
    });
    expect(readAnswerPart('{"usage":{"prompt_tokens_details":null}}').usage?.cachedTokens).toBeNull();
  });

  it.each([
    ['{"error":{"message":"bad"}}', "bad"],
    ['{"error":"bad"}', "bad"],
    ['{"object":"error","message":"bad"}', "bad"],
    ['{"choices":[]}', null],
  ])("%s", (text, message) => {
    expect(readAnswerPart(text).error).toBe(message);
  });
});
