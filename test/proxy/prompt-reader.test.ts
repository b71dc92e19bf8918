import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GenerationApi } from "../../src/proxy/generation-api.js";
import { PromptReader } from "../../src/proxy/prompt-reader.js";
import { apiNamed } from "./support/leg-context.js";

function read(api: GenerationApi["name"], body: Record<string, unknown>) {
  const { promptTokens, prefix, isExact } = new PromptReader().read(apiNamed(api), body);
  return { promptTokens, isExact, symbols: [...prefix.symbols.subarray(0, prefix.length)] };
}

const user = (content: unknown) => ({ messages: [{ role: "user", content }] });

describe("the estimate of prompt tokens", () => {
  it.each<[string, GenerationApi["name"], Record<string, unknown>, number]>([
    ["40 characters", "completions", { prompt: "a".repeat(40) }, 10],
    ["39 characters, rounded down", "completions", { prompt: "a".repeat(39) }, 9],
    ["code points, not UTF-16 units", "completions", { prompt: "😀".repeat(40) }, 10],
    ["token ids", "completions", { prompt: [1, 2, 3] }, 3],
    ["a batch of texts", "completions", { prompt: ["a".repeat(40), "b".repeat(40)] }, 20],
    ["a batch of id lists", "completions", { prompt: [[1, 2], [3]] }, 3],
    ["token in, token out", "generate", { token_ids: [5, 6, 7, 8] }, 4],
    ["one message", "chat", user("a".repeat(40)), 10],
    [
      "text parts and an image",
      "chat",
      user([
        { type: "text", text: "a".repeat(40) },
        { type: "image_url", image_url: { url: "x" } },
      ]),
      10,
    ],
    [
      "messages, divided once",
      "chat",
      {
        messages: [
          { role: "user", content: "abc" },
          { role: "user", content: "de" },
        ],
      },
      1,
    ],
    ["null content", "chat", user(null), 0],
    ["a null text", "chat", user([{ type: "text", text: null }]), 0],
    ["tools and roles do not count", "chat", { ...user("a".repeat(8)), tools: [{ type: "function" }] }, 2],
    ["input text of a response", "responses", { input: "a".repeat(12), instructions: "b".repeat(4) }, 4],
    ["no prompt at all", "completions", {}, 0],
    ["a prompt of another type", "completions", { prompt: { a: 1 } }, 0],
  ])("%s", (_, api, body, tokens) => {
    expect(read(api, body).promptTokens).toBe(tokens);
  });

  it("is exact for token ids only", () => {
    expect(read("completions", { prompt: [1] }).isExact).toBe(true);
    expect(read("completions", { prompt: "abcd" }).isExact).toBe(false);
    expect(read("completions", {}).isExact).toBe(false);
  });
});

describe("the prefix of a prompt", () => {
  it("is the token ids, or the code points of the text", () => {
    expect(read("generate", { token_ids: [151644, 8948] }).symbols).toEqual([151644, 8948]);
    expect(read("completions", { prompt: "aé😀" }).symbols).toEqual([97, 233, 0x1f600]);
  });

  it("is the code points of any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(read("completions", { prompt: text }).symbols).toEqual(
          Array.from(text, (c) => c.codePointAt(0)),
        );
      }),
    );
  });

  it("of a conversation begins with the prefix of its earlier turns", () => {
    const first = [{ role: "user", content: "hello" }];
    const later = [
      ...first,
      { role: "assistant", content: "hi" },
      { role: "user", content: [{ type: "text", text: "more" }] },
    ];
    const before = read("chat", { messages: first }).symbols;
    expect(read("chat", { messages: later }).symbols.slice(0, before.length)).toEqual(before);
  });

  it("tells roles, tools and images apart", () => {
    const image = (url: string) => user([{ type: "image_url", image_url: { url } }]);
    expect(read("chat", image("a")).symbols).not.toEqual(read("chat", image("b")).symbols);
    expect(read("chat", { ...user("x"), tools: [1] }).symbols).not.toEqual(read("chat", user("x")).symbols);
    expect(read("chat", { messages: [{ role: "system", content: "x" }] }).symbols).not.toEqual(
      read("chat", user("x")).symbols,
    );
  });

  it("may be longer than any before it", () => {
    const reader = new PromptReader();
    reader.read(apiNamed("completions"), { prompt: "short" });
    const { prefix } = reader.read(apiNamed("completions"), {
      prompt: Array.from({ length: 100_000 }, (_, i) => i),
    });
    expect(prefix.length).toBe(100_000);
    expect(prefix.symbols[99_999]).toBe(99_999);
  });
});
