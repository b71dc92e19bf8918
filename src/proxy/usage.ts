import { readJson, spliceJson, type JsonEdit } from "./json-splice.js";

const MENTIONS_CACHED = Buffer.from('"cached_tokens"');
const BLANK_LINE = Buffer.from("\n\n");
const DATA = Buffer.from("data:");

/**
 * Puts the truth into `usage.prompt_tokens_details.cached_tokens` of a disaggregated request. The decode
 * engine counts every token it received from the prefill engine as cached; what was really found in a cache
 * is what the prefill engine reports. Where that reports nothing the details become null, as in an answer
 * of vLLM without `--enable-prompt-tokens-details`.
 */
export class CachedTokens {
  /** What the prefill engine reported; null = nothing. */
  private truth: string | null = null;

  /** @param reply JSON body of the prefill engine's answer. */
  learn(reply: Buffer): void {
    const value = readJson(reply, ["usage", "prompt_tokens_details", "cached_tokens"])?.toString();
    this.truth = value === undefined || value === "null" ? null : value;
  }

  /** A JSON document with the truth in it; the document itself where it says nothing of cached tokens. */
  inDocument(document: Buffer): Buffer {
    if (!document.includes(MENTIONS_CACHED)) return document;
    if (readJson(document, ["usage", "prompt_tokens_details", "cached_tokens"]) === null) return document;
    const edit: JsonEdit =
      this.truth === null
        ? { path: ["usage", "prompt_tokens_details"], value: "null" }
        : { path: ["usage", "prompt_tokens_details", "cached_tokens"], value: this.truth };
    return spliceJson(document, [edit]);
  }

  /** Whole server-sent events with the truth in them. */
  inEvents(events: Buffer): Buffer {
    if (!events.includes(MENTIONS_CACHED)) return events;
    return mapEvents(events, (document) => this.inDocument(document));
  }
}

/** Whole server-sent events with `edit` done to the JSON of each `data:` line. */
export function mapEvents(events: Buffer, edit: (document: Buffer) => Buffer): Buffer {
  const parts: Buffer[] = [];
  let start = 0;
  while (start < events.length) {
    const blank = events.indexOf(BLANK_LINE, start);
    const end = blank < 0 ? events.length : blank + BLANK_LINE.length;
    const textEnd = blank < 0 ? end : blank;
    if (events.indexOf(DATA, start) === start) {
      const dataStart = start + DATA.length;
      parts.push(
        events.subarray(start, dataStart),
        edit(events.subarray(dataStart, textEnd)),
        events.subarray(textEnd, end),
      );
    } else parts.push(events.subarray(start, end));
    start = end;
  }
  return Buffer.concat(parts);
}
