import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as library from "@huggingface/tokenizers";
import { InputError } from "../../src/errors.js";
import type { Tokenizer } from "./tokenizer.js";

/** The part of the library's tokenizer used here; its own types do not resolve under NodeNext (0.2.0). */
interface HuggingFaceTokenizer {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
  decode(ids: number[], options: { skip_special_tokens: boolean }): string;
  token_to_id(token: string): number | undefined;
  get_vocab(withAddedTokens: boolean): Map<string, number>;
}

const { Tokenizer: Library } = library as unknown as {
  readonly Tokenizer: new (definition: object, config: object) => HuggingFaceTokenizer;
};

const CHAT_MARKS = ["<|im_start|>", "<|im_end|>"] as const;

/**
 * A model's own tokenizer from a local `tokenizer.json`; `tokenizer_config.json` beside it is read when there
 * is one. Nothing is downloaded.
 *
 * @throws InputError when the file cannot be read or is no tokenizer
 */
export function loadTokenizerFile(file: string): Tokenizer {
  const tokenizer = open(file);
  const [start, end] = CHAT_MARKS.map((mark) => tokenizer.token_to_id(mark));
  return {
    name: file,
    vocabularySize: largestId(tokenizer) + 1,
    chatMarks: start === undefined || end === undefined ? null : { start, end },
    encode: (text, addSpecialTokens) => tokenizer.encode(text, { add_special_tokens: addSpecialTokens }).ids,
    decode: (ids) => tokenizer.decode(Array.from(ids), { skip_special_tokens: false }),
    tokenText: (id) => tokenizer.decode([id], { skip_special_tokens: false }),
  };
}

function open(file: string): HuggingFaceTokenizer {
  const definition = readJson(file);
  let config: object = {};
  try {
    config = readJson(join(dirname(file), "tokenizer_config.json"));
  } catch {
    // Optional: it only adds cleaning rules and names of special tokens.
  }
  try {
    return new Library(definition, config);
  } catch (error) {
    throw new InputError(`${file}: not a tokenizer.json that can be used: ${messageOf(error)}`);
  }
}

function readJson(file: string): object {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new InputError(`${file}: cannot be read as JSON: ${messageOf(error)}`);
  }
  if (typeof content !== "object" || content === null) {
    throw new InputError(`${file}: expected a JSON object`);
  }
  return content;
}

function largestId(tokenizer: HuggingFaceTokenizer): number {
  let largest = -1;
  for (const id of tokenizer.get_vocab(true).values()) largest = Math.max(largest, id);
  return largest;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.split("\n")[0]! : String(error);
}
