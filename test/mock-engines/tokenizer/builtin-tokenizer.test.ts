import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { builtinTokenizer } from "../../../mock-engines/tokenizer/builtin-tokenizer.js";

const { vocabularySize, chatMarks } = builtinTokenizer;
const encode = (text: string): number[] => builtinTokenizer.encode(text, true);
const decode = (ids: readonly number[]): string => builtinTokenizer.decode(ids);
const pieces = (text: string): string[] => encode(text).map((id) => builtinTokenizer.tokenText(id));

/** Letters, digits and marks often, and any other character. */
const character = fc.oneof(
  fc.constantFrom("a", "Z", "7", " ", "\n", ".", "é", "日", "🙂", "<|im_end|>"),
  fc.integer({ min: 0, max: 0xd7ff }).map((code) => String.fromCodePoint(code)),
  fc.integer({ min: 0xe000, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
);

describe("the built-in tokenizer", () => {
  it.each([
    ["the quick brown fox", ["the", " quick", " brown", " fox"]],
    ["tokenization", ["tokeni", "zation"]],
    ["Hello, World!", ["Hello", ",", " World", "!"]],
    ["HTTP", ["H", "T", "T", "P"]],
    ["in 2026 or 12345", ["in", " 202", "6", " or", " 123", "45"]],
    ["a  b", ["a", " ", " b"]],
    ["x\n\n\ty", ["x", "\n\n\t", "y"]],
    ["日本", ["日", "本"]],
    ["été", ["é", "t", "é"]],
    ["", []],
  ])("splits %j into %j", (text, expected) => {
    expect(pieces(text)).toEqual(expected);
  });

  it("knows the marks that frame chat messages", () => {
    expect(encode("<|im_start|>user<|im_end|>")).toEqual([
      chatMarks!.start,
      ...encode("user"),
      chatMarks!.end,
    ]);
    expect(decode([chatMarks!.start])).toBe("<|im_start|>");
  });

  it("gives any text back, also in pieces of four-byte characters", () => {
    fc.assert(
      fc.property(fc.array(character, { maxLength: 30 }), (characters) => {
        const text = characters.join("");
        expect(decode(encode(text))).toBe(text);
      }),
    );
  });

  it("stays within its vocabulary, and every id decodes and encodes to itself where it stands for a word", () => {
    fc.assert(
      fc.property(fc.integer({ min: 16_843_008, max: vocabularySize - 1 }), (id) => {
        expect(encode(decode([id]))).toEqual([id]);
      }),
    );
  });

  it("keeps the tokens of a text that is put behind another at a word's start", () => {
    fc.assert(
      fc.property(fc.lorem({ maxCount: 12 }), fc.lorem({ maxCount: 12 }), (before, after) => {
        expect(encode(`${before} ${after}`)).toEqual([...encode(before), ...encode(` ${after}`)]);
      }),
    );
  });

  it("comes to between 3.4 and 3.8 characters a token of English text", () => {
    const text = readFileSync(new URL("../../../LICENSE", import.meta.url), "utf8");
    const charactersPerToken = text.length / encode(text).length;
    expect(charactersPerToken).toBeGreaterThan(3.4);
    expect(charactersPerToken).toBeLessThan(3.8);
  });
});
