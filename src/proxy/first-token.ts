import type { FirstToken } from "./dialects/dialect.js";
import { readJson, spliceJson, type JsonEdit } from "./json-splice.js";
import { mapEvents } from "./usage.js";

const MENTIONS_USAGE = Buffer.from('"usage"');

/** The event with which a stream begins when its first token came from the prefill worker. */
export function firstTokenEvent({ text, chunkHead }: FirstToken): Buffer {
  const choice = `{"index":0,"text":${JSON.stringify(text)},"logprobs":null,"finish_reason":null}`;
  const head = chunkHead === "" ? "" : `${chunkHead},`;
  return Buffer.from(`data: {${head}"object":"text_completion","choices":[${choice}]}\n\n`);
}

/** The token back where it belongs in `usage`: the decode worker has seen it as part of the prompt. */
export function countFirstTokenInEvents(events: Buffer): Buffer {
  return events.includes(MENTIONS_USAGE) ? mapEvents(events, countFirstToken) : events;
}

/** A completion with the first token in front of its text and counted in its usage. */
export function prependFirstToken(document: Buffer, { text }: FirstToken): Buffer {
  const choices = readJson(document, ["choices"]);
  if (choices === null) return document;
  const first = choices.subarray(choices.indexOf("{"));
  const generated = readJson(first, ["text"]);
  if (generated?.[0] !== QUOTE) return countFirstToken(document);
  const joined = Buffer.concat([Buffer.from(JSON.stringify(text).slice(0, -1)), generated.subarray(1)]);
  const at = generated.byteOffset - document.byteOffset;
  return countFirstToken(
    Buffer.concat([document.subarray(0, at), joined, document.subarray(at + generated.length)]),
  );
}

const QUOTE = 0x22;

function countFirstToken(document: Buffer): Buffer {
  const edits: JsonEdit[] = [];
  for (const [name, change] of [
    ["prompt_tokens", -1],
    ["completion_tokens", 1],
  ] as const) {
    const value = readJson(document, ["usage", name]);
    if (value !== null)
      edits.push({ path: ["usage", name], value: String(Number(value.toString()) + change) });
  }
  return spliceJson(document, edits);
}
