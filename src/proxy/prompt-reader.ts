import type { PrefixKey } from "../routing/types.js";
import { isObject, type GenerationApi, type JsonObject } from "./generation-api.js";

const HAS_PAIRS = /[\ud800-\udbff]/;
/** Code units that are widened at a time. */
const CODE_UNITS = 1 << 14;
const CODE_UNIT_VALUES = new Uint16Array(CODE_UNITS);
const CODE_UNIT_BYTES = Buffer.from(CODE_UNIT_VALUES.buffer);

/** What the routing core needs to know of a prompt. */
export interface Prompt {
  readonly promptTokens: number;
  /** Valid until the next `read`. */
  readonly prefix: PrefixKey;
  /** True when the prompt came as token ids: `promptTokens` is then exact. */
  readonly isExact: boolean;
}

/** Characters that stand for one token where a prompt is text (production-stack #890, llm-d, Dynamo). */
export const CHARACTERS_PER_TOKEN = 4;

const FIRST_CAPACITY = 1 << 14;
/** Of an image, a sound or a file only the beginning tells prompts apart. */
const OTHER_PART_CHARACTERS = 256;

/**
 * Reads prompts: how many tokens they have, and the symbols they begin with.
 *
 * Tokens are estimated as production-stack #890 does: code points of the text divided by 4, rounded down
 * once; chat counts the text of all messages, but no roles, tools or template; token ids count exactly.
 * Deliberately different: a batch counts all of its prompts, not their number, and a null text counts 0
 * (there it is an error).
 *
 * The prefix is the token ids, or the code points of the text. Chat is written out as
 * `<tools><role>\n<content>\n...`, so that equal histories are equal prefixes.
 */
export class PromptReader {
  private symbols = new Int32Array(FIRST_CAPACITY);
  private length = 0;
  private textCharacters = 0;
  private ids = 0;

  read(api: GenerationApi, body: JsonObject): Prompt {
    this.length = 0;
    this.textCharacters = 0;
    this.ids = 0;
    const prompt = body[api.prompt];
    switch (api.prompt) {
      case "messages":
        this.messages(prompt, body["tools"]);
        break;
      case "input":
        this.input(prompt, body["instructions"]);
        break;
      default:
        this.plain(prompt);
    }
    const { symbols, length } = this;
    return {
      promptTokens: this.ids + Math.floor(this.textCharacters / CHARACTERS_PER_TOKEN),
      prefix: { symbols, length, unitsPerSymbol: 1, totalUnits: length },
      isExact: this.textCharacters === 0 && this.ids > 0,
    };
  }

  /** A text, token ids, or a batch of either. */
  private plain(prompt: unknown): void {
    if (typeof prompt === "string") this.text(prompt);
    if (!Array.isArray(prompt)) return;
    this.reserve(prompt.length);
    for (const item of prompt as unknown[]) {
      if (typeof item === "number") {
        this.symbols[this.length++] = item;
        this.ids++;
      } else this.plain(item);
    }
  }

  private messages(messages: unknown, tools: unknown): void {
    if (tools != null) this.markup(JSON.stringify(tools));
    if (!Array.isArray(messages)) return;
    for (const message of messages as unknown[]) {
      if (!isObject(message)) continue;
      const { role, content, tool_calls: calls } = message;
      this.markup(typeof role === "string" ? `${role}\n` : "\n");
      this.content(content);
      if (calls != null) this.markup(JSON.stringify(calls));
      this.markup("\n");
    }
  }

  /** The prompt of `/v1/responses`: a text, or items that are messages or something else. */
  private input(input: unknown, instructions: unknown): void {
    if (typeof instructions === "string") this.text(instructions);
    if (typeof input === "string") this.text(input);
    else this.messages(input, undefined);
  }

  private content(content: unknown): void {
    if (typeof content === "string") this.text(content);
    if (!Array.isArray(content)) return;
    for (const part of content as unknown[]) {
      if (isObject(part) && typeof part["text"] === "string") this.text(part["text"]);
      else this.markup(JSON.stringify(part).slice(0, OTHER_PART_CHARACTERS));
    }
  }

  /** Text that counts as prompt. */
  private text(text: string): void {
    const before = this.length;
    this.markup(text);
    this.textCharacters += this.length - before;
  }

  /** Text that tells prompts apart but does not count. */
  private markup(text: string): void {
    this.reserve(text.length);
    if (HAS_PAIRS.test(text)) this.codePoints(text);
    else this.codeUnits(text);
  }

  /** Text without surrogate pairs: its code units are its code points, widened at the speed of a copy. */
  private codeUnits(text: string): void {
    for (let start = 0; start < text.length; start += CODE_UNITS) {
      const part = text.length <= CODE_UNITS ? text : text.slice(start, start + CODE_UNITS);
      CODE_UNIT_BYTES.write(part, 0, "utf16le");
      this.symbols.set(CODE_UNIT_VALUES.subarray(0, part.length), this.length);
      this.length += part.length;
    }
  }

  private codePoints(text: string): void {
    const { symbols } = this;
    let { length } = this;
    for (let i = 0; i < text.length; i++) {
      const symbol = text.codePointAt(i)!;
      if (symbol > 0xffff) i++;
      symbols[length++] = symbol;
    }
    this.length = length;
  }

  private reserve(more: number): void {
    if (this.length + more <= this.symbols.length) return;
    const grown = new Int32Array(Math.max(this.symbols.length * 2, this.length + more));
    grown.set(this.symbols.subarray(0, this.length));
    this.symbols = grown;
  }
}
