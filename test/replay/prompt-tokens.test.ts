import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asDigits, asText, DEFAULT_TOKEN_RANGE, PromptTokens } from "../../src/replay/prompt-tokens.js";
import { requestBody } from "../../src/replay/request-body.js";
import { workloadOf } from "./support/workload.js";

function commonPrefix(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

describe("prompts made up from block ids", () => {
  it("agree exactly as far as their ids do", () => {
    const ids = fc.array(fc.nat(40), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(ids, ids, fc.integer({ min: 1, max: 20 }), (a, b, blockTokens) => {
        const rows = [a, b].map((blocks) => ({ blocks, inputTokens: blocks.length * blockTokens }));
        const prompts = new PromptTokens(workloadOf(rows, { blockTokens }));
        const [first, second] = [prompts.ids(0), prompts.ids(1)];
        expect(first).toHaveLength(a.length * blockTokens);
        expect(commonPrefix(first, second)).toBe(commonPrefix(a, b) * blockTokens);
      }),
    );
  });

  it("are as long as the request says, within and beyond their blocks", () => {
    const prompts = new PromptTokens(
      workloadOf(
        [
          { blocks: [0, 1], inputTokens: 5 },
          { blocks: [0], inputTokens: 9 },
          { blocks: [0], inputTokens: 9 },
          { blocks: [], inputTokens: 3 },
        ],
        { blockTokens: 4 },
      ),
    );
    expect([0, 1, 2, 3].map((row) => prompts.ids(row).length)).toEqual([5, 9, 9, 3]);
    // What no block names is nobody else's.
    expect(commonPrefix(prompts.ids(1), prompts.ids(2))).toBe(4);
  });

  it("share nothing with warm-up prompts", () => {
    const prompts = new PromptTokens(workloadOf([{ blocks: [0], inputTokens: 8 }], { blockTokens: 8 }));
    expect(commonPrefix(prompts.ids(0), prompts.strangeIds(0, 8))).toBe(0);
    expect(commonPrefix(prompts.strangeIds(0, 8), prompts.strangeIds(1, 8))).toBe(0);
  });

  it("stay within the token range", () => {
    const { low, high } = DEFAULT_TOKEN_RANGE;
    const prompts = new PromptTokens(
      workloadOf([{ blocks: [3_000_000], inputTokens: 500 }], { blockTokens: 512 }),
    );
    expect(prompts.ids(0).every((id) => id >= low && id < high)).toBe(true);
  });

  it("are four characters a token as text, and as different as the ids", () => {
    expect(asText([1000, 1001])).toHaveLength(8);
    const range = Array.from({ length: 17_000 }, (_, i) => DEFAULT_TOKEN_RANGE.low + i);
    expect(new Set(range.map((id) => asText([id]).toString())).size).toBe(17_000);
  });
});

describe("the body of a request", () => {
  it("holds ids of any length in decimal", () => {
    const ids = [0, 9, 10, 99, 100, 12_345, 2 ** 31 - 1];
    expect(asDigits(ids).toString()).toBe(ids.join(","));
  });

  it.each([
    ["completions", "ids", { prompt: [1000, 1001], max_tokens: 7, ignore_eos: true }],
    ["completions", "text", { prompt: asText([1000, 1001]).toString(), max_tokens: 7 }],
    [
      "chat",
      "text",
      { messages: [{ role: "user", content: asText([1000, 1001]).toString() }], max_tokens: 7 },
    ],
    [
      "generate",
      "ids",
      { token_ids: [1000, 1001], sampling_params: { max_tokens: 7, ignore_eos: true, temperature: 0 } },
    ],
  ] as const)("of %s with %s", (endpoint, promptForm, expected) => {
    const body: unknown = JSON.parse(
      requestBody({ endpoint, promptForm, model: 'm"x' }, [1000, 1001], 7).toString(),
    );
    expect(body).toMatchObject({
      ...expected,
      model: 'm"x',
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(body).not.toHaveProperty("return_token_ids");
  });

  it.each(["completions", "chat"] as const)("of %s asks for token ids when it is told to", (endpoint) => {
    const settings = { endpoint, promptForm: "text", model: "m", asksTokenIds: true } as const;
    expect(JSON.parse(requestBody(settings, [1000], 7).toString())).toMatchObject({ return_token_ids: true });
  });
});
