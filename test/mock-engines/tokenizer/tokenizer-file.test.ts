import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadTokenizerFile } from "../../../mock-engines/tokenizer/tokenizer-file.js";

const TOKENIZER = {
  version: "1.0",
  added_tokens: [
    {
      id: 4,
      content: "<|im_start|>",
      special: true,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
    },
    {
      id: 5,
      content: "<|im_end|>",
      special: true,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
    },
  ],
  normalizer: null,
  pre_tokenizer: { type: "Whitespace" },
  post_processor: null,
  decoder: null,
  model: { type: "WordLevel", vocab: { hello: 0, world: 1, the: 2, "[UNK]": 3 }, unk_token: "[UNK]" },
};

function fileWith(content: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "tokenizer-")), "tokenizer.json");
  writeFileSync(file, content);
  return file;
}

describe("a tokenizer from a local tokenizer.json", () => {
  it("encodes and decodes with the model's own vocabulary", () => {
    const tokenizer = loadTokenizerFile(fileWith(JSON.stringify(TOKENIZER)));
    expect(tokenizer.encode("hello world", true)).toEqual([0, 1]);
    expect(tokenizer.decode([0, 1])).toBe("hello world");
    expect(tokenizer.vocabularySize).toBe(6);
    expect(tokenizer.chatMarks).toEqual({ start: 4, end: 5 });
  });

  it.each([
    ["no JSON", "{", "cannot be read as JSON"],
    ["no object", "3", "expected a JSON object"],
    ["no tokenizer", "{}", "not a tokenizer.json"],
  ])("refuses a file with %s", (_what, content, problem) => {
    expect(() => loadTokenizerFile(fileWith(content))).toThrow(problem);
  });

  it("refuses a file that is not there, naming it", () => {
    expect(() => loadTokenizerFile("nowhere.json")).toThrow("nowhere.json: cannot be read");
  });
});
